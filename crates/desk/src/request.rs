//! What is asked of the desk.

use chrono::{DateTime, Utc};
use eventsourcing::Precondition;
use serde_json::Value;
use ticket_aggregate::{Command, TicketId};
use uuid::Uuid;

use shared_kernel::Principal;

/// An idempotency key, within its caller's scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The key.
    pub key: String,
    /// A digest of all that makes the request what it is.
    pub fingerprint: Vec<u8>,
    /// The status that a success is answered with, to be answered again.
    pub status: i16,
}

/// Commands to one ticket, and all that they depend on: time and ids are given, not taken.
pub struct Request {
    /// The ticket; a new id for one to be opened.
    pub ticket: TicketId,
    /// Usually one. Several are decided one after the other and recorded all or none.
    pub commands: Vec<Command>,
    /// From which versions it may proceed.
    pub precondition: Precondition,
    /// On whose behalf.
    pub caller: Principal,
    /// When it happens.
    pub now: DateTime<Utc>,
    /// Gives a new id at each call.
    pub new_id: Box<dyn FnMut() -> Uuid + Send + Sync>,
    /// Makes a repetition a replay.
    pub idempotency: Option<Idempotency>,
    /// Why, where it was not the caller's own wish: an import's row, a policy.
    pub cause: Option<Value>,
    /// Joins what belongs together across commands: the id of the HTTP request.
    pub correlation_id: Option<String>,
    /// W3C Trace Context.
    pub traceparent: Option<String>,
    /// An imported ticket's own deadline for reopening.
    pub reopen_until: Option<DateTime<Utc>>,
    /// Whether a requester's reply to a closed ticket opens another one. If not, it is rejected.
    pub may_open_follow_up: bool,
}

impl Request {
    /// A request with nothing but the necessary.
    pub fn new(
        ticket: TicketId,
        commands: Vec<Command>,
        caller: Principal,
        now: DateTime<Utc>,
        new_id: impl FnMut() -> Uuid + Send + Sync + 'static,
    ) -> Self {
        Self {
            ticket,
            commands,
            precondition: Precondition::Any,
            caller,
            now,
            new_id: Box::new(new_id),
            idempotency: None,
            cause: None,
            correlation_id: None,
            traceparent: None,
            reopen_until: None,
            may_open_follow_up: true,
        }
    }
}
