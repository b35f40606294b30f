//! What all commands have in common: reading the request in the order of checks that the contract
//! gives, and answering with the ticket after it.
//!
//! Order: 401, 404, 403, 405, 429, 413/415, replayed key, 428, 412, 400/422, 409. A request that is sound is
//! executed at once, and the desk keeps the order; for one that is not, the desk is asked first what
//! goes before.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use desk::{Caller, Idempotency, Precondition, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;
use ticket_aggregate::TicketId;

use super::bodies::Body;
use super::{Named, done};
use crate::App;
use crate::admission::{LoadClass, Permit, Room};
use crate::authenticate::Authenticated;
use crate::conditional::if_match;
use crate::problem::{Code, FieldError, Problem};
use crate::query::Query;
use crate::telemetry::{RequestId, Trace};
use crate::{body, idempotency, json};

/// A command's request, each part of it read or found faulty.
pub(super) struct Incoming {
    method: Method,
    /// The path with the query, as it was sent.
    target: String,
    headers: HeaderMap,
    request_id: Option<String>,
    traceparent: Option<String>,
    query: Result<Query, Problem>,
    content: Result<Bytes, Problem>,
    json: Result<Value, Problem>,
    key: Result<Option<String>, Problem>,
    /// Its place among the commands under way, and its body's memory.
    _held: (Permit, Room),
}

impl Incoming {
    /// Reads it. Its turn it has only when its body has come: who is slow to send one keeps nobody waiting.
    pub(super) async fn read(app: &App, request: HttpRequest) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let (content, room) = match media_type(&parts.headers) {
            Ok(()) => body::read(app, &parts.headers, body)
                .await
                .map_or_else(|problem| (Err(problem), Room::default()), |(content, room)| (Ok(content), room)),
            Err(problem) => (Err(problem), Room::default()),
        };
        let place = app.admission.enter(LoadClass::Command)?;
        let json = content
            .clone()
            .and_then(|bytes| json::parse(&bytes).map_err(|fault| Problem::invalid(Code::InvalidJson, vec![fault])));
        Ok(Self {
            _held: (place, room),
            query: Query::read(parts.uri.query(), &[]),
            target: parts.uri.to_string(),
            key: idempotency::key(&parts.headers),
            request_id: parts.extensions.get().map(|id: &RequestId| id.as_str().to_owned()),
            traceparent: parts.extensions.get().and_then(Trace::parent),
            method: parts.method,
            headers: parts.headers,
            content,
            json,
        })
    }

    /// What makes a repetition of it harmless, as far as the request has it. A key that is none is a
    /// fault of the request like those of its body: it comes after the conditions.
    pub(super) fn idempotency(&self, status: StatusCode) -> Result<Option<Idempotency>, Problem> {
        let content = self.content.clone()?;
        let Ok(Some(key)) = self.key.clone() else { return Ok(None) };
        let json = self.json.as_ref().ok();
        let fingerprint = idempotency::fingerprint(&self.method, &self.target, &self.headers, json, &content);
        let status = i16::try_from(status.as_u16()).unwrap_or_default();
        Ok(Some(Idempotency { key, fingerprint, status }))
    }

    /// The body as a value of the schema, or all its faults.
    pub(super) fn body<B: DeserializeOwned>(&self, app: &App, schema: &str) -> Result<B, Problem> {
        self.key.as_ref().map_err(Clone::clone)?;
        self.query.as_ref().map_err(Clone::clone)?;
        let json = self.json.clone()?;
        let faults = app.validators.faults(schema, &json);
        if !faults.is_empty() {
            return Err(Problem::invalid(Code::ValidationFailed, faults));
        }
        serde_json::from_value(json).map_err(|e| invalid(FieldError::new("", e.to_string())))
    }

    /// A request to the desk that is this one's, as far as it is sound.
    pub(super) fn request(&self, app: &App, ticket: TicketId, caller: &Arc<Caller>) -> Request {
        let mut request =
            Request::new(ticket, Vec::new(), Caller::clone(caller), (app.config.now)(), app.config.new_id);
        request.correlation_id.clone_from(&self.request_id);
        request.traceparent.clone_from(&self.traceparent);
        request
    }
}

pub(super) fn invalid(fault: FieldError) -> Problem {
    Problem::invalid(Code::ValidationFailed, vec![fault])
}

fn media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let coding = headers.get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Problem::new(Code::UnsupportedMediaType, "Send the body as it is, without a Content-Encoding."));
    }
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(Code::UnsupportedMediaType, "Send the body as JSON, with 'Content-Type: application/json'."))
}

/// The handler of every command to an existing ticket.
pub(super) async fn handle<B: Body>(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    Named(ticket): Named,
    request: HttpRequest,
) -> Result<Response, Problem> {
    let incoming = Incoming::read(&app, request).await?;
    let mut request = incoming.request(&app, ticket, &caller);
    match prepare::<B>(&app, &incoming, &mut request) {
        Ok(()) => {}
        Err(problem) => match before::<B>(&app, &incoming, &mut request).await? {
            Some(answer) => return Ok(done(&caller, &answer, B::FORM.status(), made(&answer, ticket))),
            None => return Err(problem),
        },
    }
    let answer = app.desk.execute(request).await?;
    Ok(done(&caller, &answer, B::FORM.status(), made(&answer, ticket)))
}

/// A reply to a closed ticket is answered with another one: the follow-up.
fn made(answer: &desk::CommandOutcome, commanded: TicketId) -> Option<TicketId> {
    (answer.ticket.id != commanded).then_some(answer.ticket.id)
}

fn prepare<B: Body>(app: &App, incoming: &Incoming, request: &mut Request) -> Result<(), Problem> {
    request.idempotency = incoming.idempotency(B::FORM.status())?;
    request.precondition = match if_match(&incoming.headers)? {
        Some(precondition) => precondition,
        None if B::FORM.needs_if_match() => {
            let detail = "Send If-Match with the ETag of the ticket as you have seen it, or * for whatever it is.";
            return Err(Problem::new(Code::PreconditionRequired, detail));
        }
        None => Precondition::Any,
    };
    let body: B = incoming.body(app, B::SCHEMA)?;
    request.commands = vec![body.into_command().map_err(invalid)?];
    Ok(())
}

/// What goes before the fault that was found: 404, 403, and where the request could be read so far, an
/// earlier answer and 412.
async fn before<B: Body>(
    app: &App,
    incoming: &Incoming,
    request: &mut Request,
) -> Result<Option<desk::CommandOutcome>, Problem> {
    let idempotency = incoming.idempotency(B::FORM.status());
    // whether one may can depend on what the command says, where that can be read
    request.commands =
        incoming.body::<B>(app, B::SCHEMA).ok().and_then(|body| body.into_command().ok()).into_iter().collect();
    request.idempotency = idempotency.as_ref().ok().cloned().flatten();
    request.precondition = match (&idempotency, if_match(&incoming.headers)) {
        (Ok(_), Ok(Some(precondition))) => precondition,
        _ => Precondition::Any,
    };
    Ok(app.desk.check(request, B::KIND).await?)
}
