//! A route and all that is said of it: one value makes the axum route, its entry in the OpenAPI
//! document and the list that drives the tests.

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::routing::MethodRouter;
use desk::{AsOf, Caller, DeskError};
use serde_json::{Value, json};
use ticket_aggregate::{CommandKind, Rejection};

use crate::problem::{Code, Problem};
use crate::routes::tickets::Named;
use crate::{App, RouteInfo};

/// Who may call a route at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Public,
    /// Whoever has a key; what they may do and see then depends on their role.
    Key,
}

pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) operation: Operation,
    pub(crate) handler: MethodRouter<App>,
}

impl Route {
    pub(crate) fn info(&self) -> RouteInfo {
        RouteInfo { method: self.method.clone(), path: self.path, access: self.access, operation_id: self.operation.id }
    }
}

/// Who of those with a key may call a route, as far as it is known without a request's content.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guard {
    /// All.
    Keys,
    /// Whose role may issue this command.
    Command(CommandKind),
    /// All but requesters.
    Staff,
    /// Admins.
    Admins,
}

impl Guard {
    /// What goes before 429 in the order of checks: 404 for a ticket that is not there for the caller, 403.
    pub(crate) async fn check(self, app: &App, caller: &Caller, parts: &mut Parts) -> Result<(), Problem> {
        let path = parts.extensions.get::<MatchedPath>();
        if path.is_some_and(|path| path.as_str().contains("{id}")) {
            let Named(id) = Named::from_request_parts(parts, app).await?;
            app.desk.ticket(id, AsOf::Now, caller).await?;
        }
        match self {
            Self::Keys => Ok(()),
            Self::Command(command) if caller.role.may(command) => Ok(()),
            Self::Command(command) => {
                Err(DeskError::Rejected(Rejection::Forbidden { command, role: caller.role }).into())
            }
            Self::Staff => crate::routes::reports::staff_only(caller),
            Self::Admins => crate::routes::projections::admins_only(caller),
        }
    }
}

/// What the contract says of an operation.
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Body>,
    pub(crate) success: Vec<Value>,
    pub(crate) errors: Vec<Code>,
    pub(crate) guard: Guard,
}

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
            guard: Guard::Keys,
        }
    }

    pub(crate) fn guard(mut self, guard: Guard) -> Self {
        self.guard = guard;
        self
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
