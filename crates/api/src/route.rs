//! A route and all that is said of it. One value makes the axum route, the checks around it, its entry in the
//! OpenAPI document, and the list that drives the tests.

use axum::http::{Method, StatusCode};
use axum::routing::MethodRouter;
use serde_json::{Value, json};

use crate::admission::LoadClass;
use crate::guard::Guard;
use crate::problem::Code;
use crate::{App, RouteInfo};

/// A route.
#[derive(Clone)]
pub struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) guard: Guard,
    pub(crate) load: LoadClass,
    pub(crate) operation: Operation,
    pub(crate) handler: MethodRouter<App>,
    /// Whether it is part of the published contract. Pages for people and second names are not.
    pub(crate) documented: bool,
}

impl Route {
    /// A route that is no part of the published contract.
    pub fn new(method: Method, path: &'static str, guard: Guard, load: LoadClass, handler: MethodRouter<App>) -> Self {
        let operation = Operation::new("", "", "", "");
        Self { method, path, guard, load, operation, handler, documented: false }
    }

    pub(crate) fn info(&self) -> RouteInfo {
        RouteInfo { method: self.method.clone(), path: self.path, guard: self.guard, operation_id: self.operation.id }
    }
}

/// What the contract says of an operation.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Body>,
    pub(crate) success: Vec<Value>,
    pub(crate) errors: Vec<Code>,
}

#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) schema: &'static str,
    pub(crate) example: Value,
}

impl Operation {
    pub(crate) fn new(id: &'static str, tag: &'static str, summary: &'static str, description: &'static str) -> Self {
        Self {
            id,
            tag,
            summary,
            description,
            parameters: Vec::new(),
            body: None,
            success: Vec::new(),
            errors: vec![Code::Internal],
        }
    }

    pub(crate) fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    pub(crate) fn body(mut self, schema: &'static str, example: Value) -> Self {
        self.body = Some(Body { schema, example });
        self
    }

    /// A success: its status, what it is, its headers and its content.
    pub(crate) fn success(mut self, status: StatusCode, description: &str, headers: &[&str], content: Value) -> Self {
        let headers: serde_json::Map<_, _> = headers
            .iter()
            .map(|name| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")})))
            .collect();
        let mut response = json!({"status": status.as_u16(), "description": description, "headers": headers});
        if !content.is_null() {
            response["content"] = content;
        }
        self.success.push(response);
        self
    }

    pub(crate) fn errors(mut self, codes: &[Code]) -> Self {
        self.errors.extend(codes);
        self
    }
}

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

/// A parameter whose form is part of the contract.
pub(crate) fn of_schema(mut parameter: Value, schema: Value) -> Value {
    parameter["schema"] = schema;
    parameter
}

/// A header that holds a position of the log.
pub(crate) fn position_parameter(name: &str, description: &str, example: i64) -> Value {
    json!({
        "name": name, "in": "header", "required": false, "description": description,
        "schema": position(), "example": example,
    })
}

/// A position, or another count of 64 bits, as it is sent.
pub(crate) fn position() -> Value {
    json!({"type": "integer", "format": "int64", "minimum": 0, "maximum": i64::MAX})
}

/// How many at the most. More than there may be is no fault: it is as much as there may be.
pub(crate) fn limit_parameter(description: &str) -> Value {
    query_parameter("limit", description, &json!({"type": "integer", "minimum": 1}), &json!(50))
}

pub(crate) fn query_parameter(name: &str, description: &str, schema: &Value, example: &Value) -> Value {
    json!({
        "name": name, "in": "query", "required": false, "description": description,
        "schema": schema, "example": example,
    })
}

pub(crate) fn ticket_id_parameter() -> Value {
    json!({
        "name": "id", "in": "path", "required": true, "description": "The ticket's id.",
        "schema": {"type": "string", "format": "uuid"}, "example": crate::view::EXAMPLE_ID,
    })
}
