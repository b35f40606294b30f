//! Errors as the client sees them: RFC 9457, `application/problem+json`.
//!
//! A handler gives a [`Problem`]; the outermost layer writes it ([`render`]), because only there the
//! request's id and the server's own address are known. What never came to a handler (a wrong path,
//! a panic, a time-out) is written there too.

mod code;
mod render;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use code::Code;
pub(crate) use render::{of_connection, panicked, response, written};

/// One fault of a request's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Where: a JSON Pointer (RFC 6901) into the body, or `?name` for a query parameter.
    pub(crate) pointer: String,
    /// What is wrong, and what would be right.
    pub(crate) detail: String,
}

impl FieldError {
    pub(crate) fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// An error (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Leads to a page that explains the error.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    /// The id of the request.
    instance: Option<String>,
    /// Stable; for programs.
    error_code: &'static str,
    /// What else there is to know, by code.
    #[schema(value_type = Object)]
    details: Map<String, Value>,
    /// All faults of the request's content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
}

/// An error answer.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    details: Map<String, Value>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), details: Map::new(), errors: Vec::new(), headers: Vec::new() }
    }

    /// Faults of the content, all at once.
    pub(crate) fn invalid(code: Code, errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [fault] if fault.pointer.is_empty() => fault.detail.clone(),
            [fault] => format!("{}: {}", fault.pointer, fault.detail),
            faults => format!("{} faults; see errors", faults.len()),
        };
        Self { errors, ..Self::new(code, detail) }
    }

    /// The faults of both, as one answer.
    pub(crate) fn and(self, other: Self) -> Self {
        Self::invalid(self.code, self.errors.into_iter().chain(other.errors).collect())
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        if let Ok(value) = value.try_into() {
            self.headers.push((name, value));
        }
        self
    }

    /// To be tried again after so many seconds.
    pub(crate) fn retry_after(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, seconds.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The problem that a bare status stands for.
fn of_status(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::new(Code::NotFound, "There is nothing under this path; see /docs."),
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::new(Code::MethodNotAllowed, "This path does not take this method; see the Allow header.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::ContentTooLarge, "The body is larger than 1 MiB."),
        StatusCode::GATEWAY_TIMEOUT => {
            Problem::new(Code::RequestTimeout, "The request took longer than 30 s.").retry_after(1)
        }
        StatusCode::REQUEST_TIMEOUT => Problem::new(Code::BodyTimeout, "The request did not come in time."),
        StatusCode::URI_TOO_LONG => Problem::new(Code::UriTooLong, "Path and query have more than 8 KiB."),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            Problem::new(Code::HeadersTooLarge, "The header lines are too many, or too large.")
        }
        status if status.is_client_error() => Problem::new(Code::BadRequest, "The request can't be understood."),
        _ => Problem::new(Code::Internal, "Something went wrong on our side; the instance names this request."),
    }
}
