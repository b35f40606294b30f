//! Bodies are held to the very schemas that the OpenAPI document publishes: the contract can't say one
//! thing and the server another, and all faults are found at once.

use std::collections::{BTreeMap, HashMap};

use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use serde_json::{Value, json};

use crate::problem::FieldError;

pub(crate) struct Validators(HashMap<String, Validator>);

/// What a schema can ask of a text by `pattern = "name"`: the name, the regular expression that the document then has,
/// and what is said of a text that does not match. They are the aggregate's own rules, so that a body that breaks
/// several of them hears of all at once.
const PATTERNS: [(&str, &str, &str); 4] = [
    // U+0000 no JSON here may have
    ("prose", r"^[^\x00]*[^\s\x00][^\x00]*$", "this must not be blank"),
    (
        "line",
        r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        "this must be one line, not blank, without control characters",
    ),
    ("printable", r"^[^\x00-\x1f\x7f-\x9f]*$", "this must be one line without control characters"),
    (
        "address",
        r#"^[^\s@,;<>"\x00-\x1f\x7f-\x9f]+@[^\s@,;<>".\x00-\x1f\x7f-\x9f]([^\s@,;<>"\x00-\x1f\x7f-\x9f]*[^\s@,;<>".\x00-\x1f\x7f-\x9f])?$"#,
        "this must be one plain e-mail address",
    ),
];

/// The regular expression that goes by that name.
pub(crate) fn pattern(name: &str) -> &'static str {
    PATTERNS.iter().find(|(known, ..)| *known == name).map_or("", |(_, expression, _)| expression)
}

/// Puts the patterns in the places of their names.
pub(crate) fn spell_out_patterns(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(pattern)) = members.get_mut("pattern")
                && let Some((_, expression, _)) = PATTERNS.iter().find(|(name, ..)| name == pattern)
            {
                *pattern = (*expression).to_owned();
            }
            members.values_mut().for_each(spell_out_patterns);
        }
        Value::Array(items) => items.iter_mut().for_each(spell_out_patterns),
        _ => {}
    }
}

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

    /// All the faults of a value; of several in one place the first.
    pub(crate) fn faults(&self, schema: &str, value: &Value) -> Vec<FieldError> {
        let Some(validator) = self.0.get(schema) else {
            return vec![FieldError::new("", "this operation has no schema")];
        };
        let mut faults = BTreeMap::new();
        for error in validator.iter_errors(value) {
            for fault in faults_of(&error, value) {
                faults.entry(fault.pointer.clone()).or_insert(fault);
            }
        }
        faults.into_values().collect()
    }
}

/// A fault stands at the member that it speaks of, also where that is missing or should be. It never repeats the value,
/// which may be a megabyte.
fn faults_of(error: &ValidationError<'_>, body: &Value) -> Vec<FieldError> {
    let place = error.instance_path().to_string();
    let at = |member: &str| format!("{place}/{}", member.replace('~', "~0").replace('/', "~1"));
    let unknown = |member: &String| FieldError::new(at(member), "this member is unknown here");
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected.iter().map(unknown).collect(),
        // an object that may have no member at all
        ValidationErrorKind::FalseSchema => body
            .pointer(&place)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(member, _)| unknown(member))
            .collect(),
        ValidationErrorKind::Required { property } => {
            vec![FieldError::new(at(property.as_str().unwrap_or_default()), "this member is required")]
        }
        // something or null: what is wrong is wrong with the something
        ValidationErrorKind::OneOfNotValid { context } => {
            let branch = context.iter().find(|branch| !branch.iter().any(asks_for_null));
            branch.into_iter().flatten().flat_map(|error| faults_of(error, body)).collect()
        }
        ValidationErrorKind::Pattern { pattern } => {
            let known = PATTERNS.iter().find(|(_, expression, _)| expression == pattern);
            vec![FieldError::new(
                place,
                known.map_or_else(|| error.masked_with("this").to_string(), |(.., said)| (*said).to_owned()),
            )]
        }
        _ => vec![FieldError::new(place, error.masked_with("this").to_string())],
    }
}

fn asks_for_null(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(kind) } if kind.to_string() == "null")
}
