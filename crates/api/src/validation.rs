//! Bodies are validated against the schemas that the OpenAPI document publishes: the contract can't say one thing and the
//! server another. All faults are reported at once, up to a limit: what a client sends must not decide how much is answered.

use std::collections::HashMap;

use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use serde_json::{Map, Value, json};

use crate::problem::{Faults, FieldError};
use crate::route::Route;

/// The validators of all bodies.
pub(crate) struct Validators {
    schemas: Map<String, Value>,
    compiled: HashMap<String, Validator>,
}

/// What a schema can ask of a text by `pattern = "name"`: the name, the regular expression that the document then has, and
/// the message for a text that does not match. They repeat rules of the aggregates, so that one answer names all faults.
const PATTERNS: [(&str, &str, &str); 4] = [
    // JSON with U+0000 is refused before
    ("prose", r"^[^\x00]*[^\s\x00][^\x00]*$", "must not be blank"),
    (
        "line",
        r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        "must be one line, not blank, without control characters",
    ),
    ("printable", r"^[^\x00-\x1f\x7f-\x9f]*$", "must be one line without control characters"),
    (
        "address",
        r#"^\s*[^\s@,;:<>()\[\]\\"\x00-\x1f\x7f-\x9f]+@[^\s@,;:<>()\[\]\\"\x00-\x1f\x7f-\x9f]+\s*$"#,
        "must be one plain e-mail address",
    ),
];

/// The regular expression that goes by that name.
pub(crate) fn pattern(name: &str) -> &'static str {
    let known = PATTERNS.iter().find(|(known, ..)| *known == name);
    known.map(|(_, expression, _)| *expression).expect("patterns are named by constants")
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
    /// Compiles the schema of each route's body.
    pub(crate) fn compile(document: &Value, routes: &[Route]) -> Self {
        let components = &document["components"];
        let bodies = routes.iter().filter_map(|route| route.operation.body.as_ref()).map(|body| body.schema.clone());
        let schemas = components["schemas"].as_object().cloned().unwrap_or_default();
        let alternatives = schemas.values().filter_map(|schema| schema["discriminator"]["mapping"].as_object());
        let alternatives = alternatives.flat_map(Map::values).map(|place| target(place).to_owned());
        let names = bodies.chain(alternatives);
        let compiled = names.map(|name| {
            let schema = json!({"$ref": format!("#/components/schemas/{name}"), "components": components});
            let validator = jsonschema::options().should_validate_formats(true).build(&schema);
            (name, validator.expect("the schemas of the contract are valid; every test starts a router"))
        });
        Self { compiled: compiled.collect(), schemas }
    }

    /// The faults of a value; of several in one place the first.
    pub(crate) fn faults(&self, schema: &str, value: &Value) -> Faults {
        let mut faults = Faults::default();
        let validator = self.compiled.get(schema).expect("the schema of a route's body is compiled");
        if validator.is_valid(value) {
            return faults;
        }
        let mut pruning = Pruning { validators: self, faults: &mut faults };
        let pruned = pruning.prune(&json!({"$ref": format!("#/components/schemas/{schema}")}), value, "");
        for error in validator.iter_errors(&pruned) {
            for fault in faults_of(&error) {
                faults.add(fault);
            }
        }
        faults
    }
}

/// Takes out of a value what may be there in any number, so that validating the rest costs as much as its schema is large:
/// unknown members, and the items of arrays that are too long.
struct Pruning<'a> {
    validators: &'a Validators,
    faults: &'a mut Faults,
}

impl<'a> Pruning<'a> {
    fn prune(&mut self, schema: &Value, value: &Value, place: &str) -> Value {
        let schema = self.resolved(schema);
        if schema["discriminator"].is_object() {
            self.judge_alternative(schema, value, place);
            return value.clone();
        }
        match value {
            Value::Array(items) => {
                if let Some(most) = schema["maxItems"].as_u64().filter(|most| items.len() as u64 > *most) {
                    self.faults.add(FieldError::new(place, format!("{} items; at most {most}", items.len())));
                    return Value::Array(Vec::new());
                }
                let pruned = items.iter().enumerate();
                pruned.map(|(index, item)| self.prune(&schema["items"], item, &format!("{place}/{index}"))).collect()
            }
            Value::Object(members) => {
                let mut kept = Map::new();
                for (name, member) in members {
                    let place = format!("{place}/{}", escaped(name));
                    match schema["properties"].get(name) {
                        Some(schema) => drop(kept.insert(name.clone(), self.prune(schema, member, &place))),
                        None if schema["additionalProperties"] == false => {
                            self.faults.add(FieldError::new(place, "unknown field"));
                        }
                        None => drop(kept.insert(name.clone(), member.clone())),
                    }
                }
                Value::Object(kept)
            }
            other => other.clone(),
        }
    }

    /// A value that is one of several kinds is judged as the kind that it names.
    fn judge_alternative(&mut self, schema: &Value, value: &Value, place: &str) {
        let discriminator = &schema["discriminator"];
        let property = discriminator["propertyName"].as_str().expect("a discriminator names its property");
        match value.get(property) {
            None if !value.is_object() => self.faults.add(FieldError::new(place, "must be an object")),
            None => self.faults.add(FieldError::new(format!("{place}/{property}"), "required")),
            Some(word) => match word.as_str().and_then(|word| discriminator["mapping"].get(word)) {
                Some(kind) => self.faults.add_all(self.validators.faults(target(kind), value), place),
                None => self.faults.add(FieldError::new(format!("{place}/{property}"), format!("unknown {property}"))),
            },
        }
    }

    /// The schema behind a reference, and behind "this or null".
    fn resolved<'s>(&self, mut schema: &'s Value) -> &'s Value
    where
        'a: 's,
    {
        loop {
            if schema["discriminator"].is_object() {
                return schema;
            }
            let alternatives = schema["oneOf"].as_array().into_iter().flatten();
            if schema["$ref"].is_string() {
                schema = self
                    .validators
                    .schemas
                    .get(target(&schema["$ref"]))
                    .expect("the document refers to its own schemas");
            } else if let Some(something) = alternatives.into_iter().find(|schema| schema["type"] != "null") {
                schema = something;
            } else {
                return schema;
            }
        }
    }
}

/// The name of the schema that a reference leads to.
fn target(reference: &Value) -> &str {
    reference.as_str().and_then(|place| place.rsplit('/').next()).expect("references are paths")
}

fn escaped(member: &str) -> String {
    member.replace('~', "~0").replace('/', "~1")
}

/// A fault is reported at the member that it is about, also where that is missing. It never repeats the value, which may be
/// a megabyte.
fn faults_of(error: &ValidationError<'_>) -> Vec<FieldError> {
    let place = error.instance_path().to_string();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let member = property.as_str().expect("a member's name is a string");
            vec![FieldError::new(format!("{place}/{}", escaped(member)), "required")]
        }
        // something or null: what is wrong is wrong with the something. Other alternatives are judged by their discriminator
        ValidationErrorKind::OneOfNotValid { context } => {
            let is_optional = context.iter().any(|branch| branch.iter().any(asks_for_null));
            let branch = context.iter().find(|branch| is_optional && !branch.iter().any(asks_for_null));
            branch.into_iter().flatten().flat_map(faults_of).collect()
        }
        ValidationErrorKind::Pattern { pattern } => {
            let known = PATTERNS.iter().find(|(_, expression, _)| expression == pattern);
            let message =
                known.map_or_else(|| error.masked_with("this").to_string(), |(.., message)| (*message).to_owned());
            vec![FieldError::new(place, message)]
        }
        _ => vec![FieldError::new(place, error.masked_with("this").to_string())],
    }
}

fn asks_for_null(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(kind) } if kind.to_string() == "null")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Code, Problem};
    use crate::{openapi, routes};

    fn faults(schema: &str, value: &Value) -> Value {
        let routes = routes::all();
        let faults = Validators::compile(&openapi::document(&routes), &routes).faults(schema, value);
        json!(crate::problem::ProblemBody::new(Problem::faults(Code::ValidationFailed, faults), "", None))
    }

    fn pointers(faults: &Value) -> Vec<&str> {
        faults["errors"].as_array().into_iter().flatten().map(|fault| fault["pointer"].as_str().unwrap()).collect()
    }

    /// An unbounded array or object in a body could make the list of its faults as long as a client likes.
    #[test]
    fn schemas_of_bodies_are_bounded() {
        fn check(name: &str, schema: &Value) {
            if schema["type"] == "array" {
                assert!(schema["maxItems"].is_u64(), "{name}: {schema}");
            }
            if schema["properties"].is_object() {
                assert_eq!(schema["additionalProperties"], false, "{name}");
            }
            schema["properties"].as_object().into_iter().flatten().for_each(|(name, schema)| check(name, schema));
        }
        let routes = routes::all();
        let validators = Validators::compile(&openapi::document(&routes), &routes);
        for name in validators.compiled.keys() {
            check(name, &validators.schemas[name]);
        }
        assert!(validators.compiled.len() > 40);
    }

    #[test]
    fn array_size_is_judged_before_items() {
        let body = json!({"subject": "x", "body": "x", "tags": vec![json!(1); 5_000]});
        let found = faults("OpenTicket", &body);
        assert_eq!(found["errors"], json!([{"pointer": "/tags", "detail": "5000 items; at most 100"}]));
    }

    #[test]
    fn faults_beyond_a_hundred_are_counted() {
        let unknown: Map<_, _> = (0..150).map(|n| (format!("m{n}"), json!(n))).collect();
        let found = faults("OpenTicket", &unknown.into());
        assert_eq!((pointers(&found).len(), &found["details"]["more_errors"]), (100, &json!(52)));
        assert_eq!(found["detail"], "152 faults; see errors");
    }

    #[test]
    fn commands_are_judged_by_their_kind() {
        let body = json!({"commands": [
            {"command": "reply", "body": ""}, {"command": "nothing"}, {}, 7,
            {"command": "prioritize", "priority": "x", "reason": null, "y": 1}, {"command": "start"},
        ]});
        let expected = [
            "/commands/0/body",
            "/commands/1/command",
            "/commands/2/command",
            "/commands/3",
            "/commands/4/priority",
            "/commands/4/y",
        ];
        assert_eq!(pointers(&faults("TicketCommands", &body)), expected);
        assert_eq!(pointers(&faults("TicketCommands", &json!({"commands": []}))), ["/commands"]);
    }
}
