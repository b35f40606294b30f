//! A request with a command: everything that it says by itself, read and checked before a record is looked at.
//!
//! The checks of this group: media type (415), size (413), header lines and query (400), `If-Match` (428), JSON (400), and the
//! body's schema (422). Which of several faults is answered is not promised. Cheap checks come before the body is read.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use desk::{Call, Idempotency, Precondition};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared_kernel::Principal;

use super::caller::Authenticated;
use super::query::Query;
use super::{body, conditional, idempotency, json};
use crate::admission::{BodyPermit, LoadClass, Permit};
use crate::app::App;
use crate::endpoint::Endpoint;
use crate::problem::{Code, FieldError, Problem, unauthorized};
use crate::respond::Changed;
use crate::route::CommandStyle;
use crate::telemetry::{RequestId, Trace};

/// A command's body, and what else the request says.
pub struct CommandRequest<B> {
    /// The body, valid by the schema that the route publishes.
    pub body: B,
    /// Everything else.
    pub context: CommandContext,
}

/// What a request with a command says beside its body.
pub struct CommandContext {
    /// Who calls.
    pub caller: Arc<Principal>,
    /// The versions of `If-Match`; any, where there is none.
    pub precondition: Precondition,
    /// The key and the digest that tell a retry from another request.
    pub idempotency: Option<Idempotency>,
    /// The request's id.
    pub correlation_id: Option<String>,
    /// W3C Trace Context.
    pub traceparent: Option<String>,
    has_if_match: bool,
    style: CommandStyle,
    memory: BodyPermit,
    _permit: Permit,
}

impl<B: DeserializeOwned> FromRequest<App> for CommandRequest<B> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, stream) = request.into_parts();
        let endpoint = Endpoint::of(&parts.extensions).clone();
        check_media_type(&parts.headers)?;
        let head = Head::read(&parts, endpoint.style())?;
        let (bytes, memory) = body::read(app, &parts.headers, stream).await?;
        // whoever is slow to send a body holds no permit until it is there
        let permit = app.admission.enter(LoadClass::Command)?;
        let json = json::parse(&bytes)?;
        let fingerprint = idempotency::fingerprint(&parts.method, &parts.uri.to_string(), &parts.headers, &json);
        let faults = endpoint.contract.validators.faults(endpoint.body(), &json);
        if !faults.is_empty() {
            return Err(Problem::faults(Code::ValidationFailed, faults).holding(memory));
        }
        let body = serde_json::from_value(json)
            .map_err(|error| Problem::faults(Code::ValidationFailed, FieldError::new("", error.to_string()).into()))?;
        Ok(Self { body, context: head.context(&parts, fingerprint, memory, permit) })
    }
}

impl FromRequest<App> for CommandContext {
    type Rejection = Problem;

    /// A request with a command that takes no body.
    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, stream) = request.into_parts();
        let head = Head::read(&parts, Endpoint::of(&parts.extensions).style())?;
        let (bytes, memory) = body::read(app, &parts.headers, stream).await?;
        let permit = app.admission.enter(LoadClass::Command)?;
        if !matches!(bytes.trim_ascii(), b"" | b"{}") {
            return Err(Problem::invalid(FieldError::new("", "this takes no body, or an empty object")));
        }
        let target = parts.uri.to_string();
        let fingerprint = idempotency::fingerprint(&parts.method, &target, &parts.headers, &Value::Null);
        Ok(head.context(&parts, fingerprint, memory, permit))
    }
}

/// What stands before the body.
struct Head {
    style: CommandStyle,
    caller: Arc<Principal>,
    key: Option<String>,
    precondition: Option<Precondition>,
}

impl Head {
    fn read(parts: &Parts, style: CommandStyle) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Authenticated>().cloned();
        let Authenticated(caller) = caller.ok_or_else(|| unauthorized("The request needs an API key."))?;
        Query::read(parts.uri.query(), &[])?;
        let key = idempotency::key(&parts.headers)?;
        let precondition = match style {
            CommandStyle::Create => None,
            CommandStyle::Change | CommandStyle::AddItem | CommandStyle::Add | CommandStyle::Several => {
                conditional::if_match(&parts.headers)?
            }
        };
        if precondition.is_none() && style.requires_if_match() {
            return Err(if_match_required());
        }
        Ok(Self { style, caller, key, precondition })
    }

    fn context(self, parts: &Parts, fingerprint: Vec<u8>, memory: BodyPermit, permit: Permit) -> CommandContext {
        let Self { style, caller, key, precondition } = self;
        let status = i16::try_from(style.status().as_u16()).expect("a status has three digits");
        CommandContext {
            caller,
            has_if_match: precondition.is_some(),
            precondition: precondition.unwrap_or(Precondition::Any),
            idempotency: key.map(|key| Idempotency { key, fingerprint, status }),
            correlation_id: parts.extensions.get().map(|id: &RequestId| id.as_str().to_owned()),
            traceparent: parts.extensions.get().and_then(Trace::parent),
            style,
            memory,
            _permit: permit,
        }
    }
}

impl CommandContext {
    /// 428 without `If-Match`: for a body that turns out to need it.
    pub fn require_if_match(&self) -> Result<(), Problem> {
        if self.has_if_match { Ok(()) } else { Err(if_match_required()) }
    }

    /// What the desk is told with the commands of this request. The idempotency key goes with the first call.
    pub fn call(&mut self, app: &App) -> Call {
        Call {
            precondition: self.precondition.clone(),
            idempotency: self.idempotency.take(),
            correlation_id: self.correlation_id.clone(),
            traceparent: self.traceparent.clone(),
            ..Call::new((*self.caller).clone(), (app.config.now)(), app.config.new_id)
        }
    }

    /// Whether the request is made of several commands.
    pub fn is_several(&self) -> bool {
        self.style == CommandStyle::Several
    }

    /// The answer: the record after the command. The memory that the request holds covers the answer, too, until it is sent.
    pub fn respond<T: Serialize>(self, changed: &Changed<T>) -> Response {
        changed.response(self.style.status(), self.memory)
    }
}

fn if_match_required() -> Problem {
    let detail = "Send If-Match with the ETag of the record as you have seen it, or * for any version.";
    Problem::new(Code::PreconditionRequired, detail)
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let unsupported = |detail: &str| Err(Problem::new(Code::UnsupportedMediaType, detail));
    let coding = headers.get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return unsupported("Send the body as it is, without a Content-Encoding.");
    }
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    if !parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return unsupported("Send the body as JSON, with 'Content-Type: application/json'.");
    }
    let charset = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
    };
    if parts.filter_map(charset).any(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
        return unsupported("JSON is UTF-8 (RFC 8259); send no other charset.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_type_is_json_in_utf_8() {
        let check = |value: &'static str| {
            check_media_type(&HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())])).is_ok()
        };
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=\"UTF-8\""] {
            assert!(check(good), "{good}");
        }
        for bad in ["text/json", "application/json; charset=utf-16", "application/json; x=y; Charset = latin1", ""] {
            assert!(!check(bad), "{bad}");
        }
    }
}
