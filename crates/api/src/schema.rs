//! Pieces of the OpenAPI document: parameters, contents and schemas that routes put together.

use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// `Idempotency-Key`: a bare token, or a structured-field string, of 1 to 255 visible ASCII characters.
pub(crate) const IDEMPOTENCY_KEY_PATTERN: &str = r#"^([!#-~][!-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}")$"#;

/// `If-Match`: one entity tag, several, or `*`.
pub(crate) fn if_match_schema() -> Value {
    json!({"type": "string", "pattern": r#"^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$"#})
}

/// The id of examples.
pub(crate) const EXAMPLE_ID: &str = "01935b1e-8f6a-7c3e-9d2b-5a1f4e6c8d90";

/// The ids of people, agents and teams in examples.
pub(crate) const EXAMPLE_PERSON: &str = "01935b1d-2c11-7d04-8a3e-6f0c1b2a3d4e";
pub(crate) const EXAMPLE_TEAM: &str = "01935b1d-3b7f-7a90-b1c2-d3e4f5061728";
pub(crate) const EXAMPLE_AGENT: &str = "01935b1d-30a2-7f55-9c07-2e4d6a8b0c1d";

/// Adds a type's schema, and those that it refers to.
pub(crate) fn add<T: ToSchema + PartialSchema>(found: &mut Vec<(String, RefOr<Schema>)>) {
    found.push((T::name().into_owned(), T::schema()));
    T::schemas(found);
}

/// Declares the schema of a closed vocabulary: a type that stands for another one in `#[schema(value_type = …)]`.
macro_rules! enum_schema {
    ($(#[$meta:meta])* $name:ident = $words:expr) => {
        $(#[$meta])*
        pub(crate) struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let words = $words.iter().map(|word| word.as_str());
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some(words))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}
pub(crate) use enum_schema;

/// Content of one schema of the document.
pub(crate) fn json_of(schema: &str, example: &Value) -> Value {
    json!({"application/json": {
        "schema": {"$ref": format!("#/components/schemas/{schema}")},
        "example": example,
    }})
}

pub(crate) fn header_parameter(name: &str, required: bool, description: &str, example: &str) -> Value {
    json!({
        "name": name, "in": "header", "required": required, "description": description,
        "schema": {"type": "string"}, "example": example,
    })
}

fn of_schema(mut parameter: Value, schema: Value) -> Value {
    parameter["schema"] = schema;
    parameter
}

/// A header that holds a position of the log.
pub(crate) fn position_parameter(name: &str, description: &str, example: i64) -> Value {
    let mut parameter = of_schema(header_parameter(name, false, description, ""), position());
    parameter["example"] = json!(example);
    parameter
}

/// A log position, or another count of 64 bits.
pub(crate) fn position() -> Value {
    json!({"type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX})
}

/// The size of a page. A larger number than the maximum is no fault: it means the maximum.
pub(crate) fn limit_parameter(description: &str) -> Value {
    query_parameter("limit", description, &json!({"type": "integer", "minimum": 1}), &json!(50))
}

pub(crate) fn query_parameter(name: &str, description: &str, schema: &Value, example: &Value) -> Value {
    json!({
        "name": name, "in": "query", "required": false, "description": description,
        "schema": schema, "example": example,
    })
}

pub(crate) fn id_parameter(resource: &str) -> Value {
    json!({
        "name": "id", "in": "path", "required": true, "description": format!("The {resource}'s id."),
        "schema": {"type": "string", "format": "uuid"}, "example": EXAMPLE_ID,
    })
}

pub(crate) fn handle_parameter(resource: &str) -> Value {
    json!({
        "name": "id", "in": "path", "required": true, "description": format!("The {resource}'s id or handle."),
        "schema": {"type": "string", "minLength": 1}, "example": EXAMPLE_ID,
    })
}

pub(crate) fn if_match_parameter(required: bool) -> Value {
    let description = if required {
        "The ETag of the record as you have seen it, a list of ETags, or * for any version."
    } else {
        "Only if the record is at this version: its ETag, a list of ETags, or * for any version."
    };
    of_schema(header_parameter("If-Match", required, description, "\"3\""), if_match_schema())
}

pub(crate) fn if_none_match_parameter() -> Value {
    header_parameter("If-None-Match", false, "The ETag that you have. 304 if it is current.", "\"3\"")
}

pub(crate) fn on_behalf_of_parameter() -> Value {
    let description = "Whom you act for: a person's id or e-mail address. For keys with the scope `act-for-others`. The request is \
                       judged as that person's own; an unknown address is registered.";
    header_parameter("Docket-On-Behalf-Of", false, description, "grace@example.com")
}

pub(crate) fn idempotency_key_parameter() -> Value {
    let description = "Names this request. A repetition with the same key gets the same answer and records nothing. Kept \
                       for at least 24 hours.";
    let parameter = header_parameter("Idempotency-Key", false, description, "8e03978e-40d5-43dd-bc93-6894a57f9324");
    of_schema(parameter, json!({"type": "string", "minLength": 1, "pattern": IDEMPOTENCY_KEY_PATTERN}))
}
