//! Errors as the client sees them: RFC 9457, `application/problem+json`.
//!
//! A handler gives a [`Problem`]; the outermost layer writes it (`middleware/render.rs`), because only there the
//! request's id and the server's own address are known. What never came to a handler (a wrong path, a panic, a time-out)
//! is written there, too. Where errors of the layers below become problems: `problem/store.rs`, `routes/problem.rs`, and the
//! routes of each kind of record for its own.

mod code;
mod execute;
mod store;

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use code::Code;

/// The most faults that one answer lists.
pub(crate) const MOST_FAULTS: usize = 100;
/// The longest pointer, in bytes: it may hold a member's name, which is the client's.
const LONGEST_POINTER: usize = 500;

/// One fault of a request's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// A JSON Pointer (RFC 6901) into the body, or `?name` for a query parameter. Cut after 500 bytes.
    pub(crate) pointer: String,
    /// What is wrong, and what would be right.
    pub(crate) detail: String,
}

impl FieldError {
    /// A fault at a place.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut pointer = pointer.into();
        if pointer.len() > LONGEST_POINTER {
            pointer.truncate(pointer.floor_char_boundary(LONGEST_POINTER));
            pointer.push('…');
        }
        Self { pointer, detail: detail.into() }
    }

    /// The same fault below another place.
    pub(crate) fn below(self, place: &str) -> Self {
        Self::new(format!("{place}{}", self.pointer), self.detail)
    }
}

/// A value of the domain, or its fault at a place.
pub(crate) fn at<T, E: Display>(pointer: &str, value: Result<T, E>) -> Result<T, FieldError> {
    value.map_err(|error| FieldError::new(pointer, error.to_string()))
}

/// The faults of a request's content: one per place, the first 100 of them, and how many there are beyond.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    listed: BTreeMap<String, String>,
    more: usize,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: FieldError) {
        if self.listed.len() < MOST_FAULTS {
            self.listed.entry(fault.pointer).or_insert(fault.detail);
        } else if !self.listed.contains_key(&fault.pointer) {
            self.more += 1;
        }
    }

    pub(crate) fn add_all(&mut self, faults: Self, place: &str) {
        self.more += faults.more;
        faults.listed.into_iter().for_each(|(pointer, detail)| self.add(FieldError::new(pointer, detail).below(place)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// A value, or its fault in the list.
    pub(crate) fn take<T>(&mut self, result: Result<T, FieldError>) -> Option<T> {
        result.map_err(|fault| self.add(fault)).ok()
    }
}

impl From<FieldError> for Faults {
    fn from(fault: FieldError) -> Self {
        Self { listed: BTreeMap::from([(fault.pointer, fault.detail)]), more: 0 }
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
    /// The text of `detail` again.
    message: String,
    /// The id of the request.
    instance: Option<String>,
    /// Stable; for programs.
    error_code: &'static str,
    /// More facts, by code. `more_errors`: how many faults there are beyond those in `errors`.
    #[schema(value_type = Object)]
    details: Map<String, Value>,
    /// The faults of the request's content, 100 at most.
    #[schema(max_items = 100)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
}

impl ProblemBody {
    /// As it is written, at this address of the server.
    pub(crate) fn new(problem: Problem, base: &str, instance: Option<&str>) -> Self {
        let code = problem.code;
        Self {
            kind: format!("{base}/problems/{}", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            message: problem.detail.clone(),
            detail: problem.detail,
            instance: instance.map(str::to_owned),
            error_code: code.as_str(),
            details: problem.details,
            errors: problem.errors,
        }
    }
}

/// An error answer.
#[derive(Clone, Debug)]
pub struct Problem {
    pub(crate) code: Code,
    detail: String,
    details: Map<String, Value>,
    errors: Vec<FieldError>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// What is given back when the answer has been sent.
    pub(crate) held: Option<Arc<dyn Any + Send + Sync>>,
}

impl Problem {
    /// An error of that code; the detail says what is wrong this time, and what to do.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), details: Map::new(), errors: Vec::new(), headers: Vec::new(), held: None }
    }

    /// Faults of the request's content.
    pub fn faults(code: Code, faults: Faults) -> Self {
        let errors = faults.listed.into_iter().map(|(pointer, detail)| FieldError { pointer, detail });
        let errors = errors.collect::<Vec<_>>();
        let detail = match errors.as_slice() {
            [fault] if fault.pointer.is_empty() => fault.detail.clone(),
            [fault] => format!("{}: {}", fault.pointer, fault.detail),
            listed => format!("{} faults; see errors", listed.len() + faults.more),
        };
        let problem = Self { errors, ..Self::new(code, detail) };
        if faults.more == 0 { problem } else { problem.with("more_errors", faults.more) }
    }

    /// 422 with one fault.
    pub(crate) fn invalid(fault: FieldError) -> Self {
        Self::faults(Code::ValidationFailed, fault.into())
    }

    /// Keeps something until the answer has been sent.
    pub(crate) fn holding(self, held: impl Any + Send + Sync) -> Self {
        Self { held: Some(Arc::new(held)), ..self }
    }

    /// The faults of both, as one answer.
    pub(crate) fn and(mut self, other: Self) -> Self {
        let mut faults = Faults::default();
        self.errors.drain(..).chain(other.errors).for_each(|fault| faults.add(fault));
        Self::faults(self.code, faults)
    }

    /// The same about a part of the request: its pointers begin with the part's.
    pub(crate) fn below(mut self, part: &str) -> Self {
        self.errors.iter_mut().for_each(|fault| fault.pointer.insert_str(0, part));
        self
    }

    /// Adds a member of `details`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        if let Ok(value) = value.try_into() {
            self.headers.push((name, value));
        }
        self
    }

    /// `Retry-After`, in seconds.
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

/// A phrase as a sentence: for rejections, whose texts begin in lower case.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).chain(".".chars()).collect()
}

/// 401, with the challenge.
pub(crate) fn unauthorized(detail: &str) -> Problem {
    Problem::new(Code::Unauthorized, detail).header(header::WWW_AUTHENTICATE, "Bearer realm=\"docket\"")
}

/// 500. The cause goes to the log, once.
pub(crate) fn internal(error: &dyn std::error::Error) -> Problem {
    let source = error.source().map(ToString::to_string);
    tracing::error!(%error, source, "a request failed");
    of_status(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The problem that a bare status stands for.
pub(crate) fn of_status(status: StatusCode) -> Problem {
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
