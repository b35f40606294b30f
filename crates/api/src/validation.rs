//! Bodies are held to the very schemas that the OpenAPI document publishes: the contract can't say one
//! thing and the server another, and all faults are found at once.

use std::collections::HashMap;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Value, json};

use crate::problem::Fault;

pub(crate) struct Validators(HashMap<String, Validator>);

impl Validators {
    /// Compiles every schema of the document's components.
    pub(crate) fn compile(document: &Value) -> Self {
        let components = &document["components"];
        let names = components["schemas"].as_object().into_iter().flatten().map(|(name, _)| name);
        let compiled = names.filter_map(|name| {
            let schema = json!({"$ref": format!("#/components/schemas/{name}"), "components": components});
            let validator = jsonschema::options().should_validate_formats(true).build(&schema);
            validator
                .inspect_err(|error| tracing::error!(name, %error, "a schema of the contract can't be compiled"))
                .ok()
                .map(|validator| (name.clone(), validator))
        });
        Self(compiled.collect())
    }

    /// All the faults of a value.
    pub(crate) fn faults(&self, schema: &str, value: &Value) -> Vec<Fault> {
        let Some(validator) = self.0.get(schema) else {
            return vec![Fault::new("", "this operation has no schema")];
        };
        validator.iter_errors(value).flat_map(|error| faults_of(&error)).collect()
    }
}

/// A fault stands at the member that it speaks of, also where that is missing or should be.
fn faults_of(error: &jsonschema::ValidationError<'_>) -> Vec<Fault> {
    let place = error.instance_path().to_string();
    let at = |member: &str| format!("{place}/{}", member.replace('~', "~0").replace('/', "~1"));
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|member| Fault::new(at(member), "this member is unknown here")).collect()
        }
        ValidationErrorKind::Required { property } => {
            vec![Fault::new(at(property.as_str().unwrap_or_default()), "this member is required")]
        }
        _ => vec![Fault::new(place, error.to_string())],
    }
}
