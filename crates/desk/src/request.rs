//! What is asked of the desk.

use std::ops::{Deref, DerefMut};

use chrono::{DateTime, Utc};
use eventsourcing::{Envelope, Precondition};
use serde_json::{Map, Value, json};
use shared_kernel::{Principal, Role};
use ticket_aggregate::{Command, CommandKind, Open, TicketId};
use uuid::Uuid;

use crate::names::{AgentName, PersonName, TeamName};

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

/// What goes with every request, whatever record it is about. Time and ids are given, not taken.
pub struct Call {
    /// On whose behalf.
    pub caller: Principal,
    /// From which versions it may proceed.
    pub precondition: Precondition,
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
}

impl Call {
    /// A call with nothing but the necessary.
    pub fn new(caller: Principal, now: DateTime<Utc>, new_id: impl FnMut() -> Uuid + Send + Sync + 'static) -> Self {
        Self {
            caller,
            precondition: Precondition::Any,
            now,
            new_id: Box::new(new_id),
            idempotency: None,
            cause: None,
            correlation_id: None,
            traceparent: None,
        }
    }

    pub(crate) fn envelope(&self) -> Envelope {
        let mut metadata = Map::new();
        metadata.insert("actor".into(), json!(self.caller.actor));
        if let Some(cause) = &self.cause {
            metadata.insert("cause".into(), cause.clone());
        }
        if let Some(id) = &self.correlation_id {
            metadata.insert("correlation_id".into(), json!(id));
        }
        let idempotency = self.idempotency.as_ref().map(|idempotency| eventsourcing::Idempotency {
            scope: self.caller.scope(),
            key: idempotency.key.clone(),
            fingerprint: idempotency.fingerprint.clone(),
            status: idempotency.status,
            // a timer or a process manager may see an event again long after a client has stopped to retry
            permanent: self.caller.role == Role::System,
        });
        Envelope { now: self.now, idempotency, metadata, traceparent: self.traceparent.clone() }
    }
}

/// A command to a ticket as callers write it: with names where the command itself has ids.
#[derive(Clone, Debug, PartialEq)]
pub enum TicketCommand {
    /// One that names nobody, or by id.
    Plain(Command),
    /// [`Command::Open`].
    Open {
        /// The rest of it; its requester and its team are those below.
        open: Open,
        /// Who asks. An address that leads to nobody is registered.
        requester: Option<PersonName>,
        /// Whose queue it goes to.
        team: Option<TeamName>,
    },
    /// [`Command::Assign`].
    Assign {
        /// Whom.
        assignee: AgentName,
        /// Whether the agent's capacity may be exceeded.
        over_capacity: bool,
    },
    /// [`Command::Route`].
    Route {
        /// Whose queue.
        team: TeamName,
    },
    /// [`Command::Follow`].
    Follow {
        /// Who.
        follower: PersonName,
    },
    /// [`Command::Unfollow`].
    Unfollow {
        /// Who.
        follower: PersonName,
    },
    /// [`Command::ChangeRequester`].
    ChangeRequester {
        /// Who asks from now on. An address that leads to nobody is registered.
        requester: PersonName,
        /// Why, for agents.
        reason: Option<String>,
    },
}

impl TicketCommand {
    /// Its name.
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::Plain(command) => command.kind(),
            Self::Open { .. } => CommandKind::Open,
            Self::Assign { .. } => CommandKind::Assign,
            Self::Route { .. } => CommandKind::Route,
            Self::Follow { .. } => CommandKind::Follow,
            Self::Unfollow { .. } => CommandKind::Unfollow,
            Self::ChangeRequester { .. } => CommandKind::ChangeRequester,
        }
    }
}

impl From<Command> for TicketCommand {
    fn from(command: Command) -> Self {
        Self::Plain(command)
    }
}

/// Commands to one ticket.
pub struct Request {
    /// The ticket; a new id for one to be opened.
    pub ticket: TicketId,
    /// Usually one. Several are decided one after the other and recorded all or none.
    pub commands: Vec<TicketCommand>,
    /// What goes with them.
    pub call: Call,
    /// An imported ticket's own deadline for reopening.
    pub reopen_until: Option<DateTime<Utc>>,
    /// Whether a requester's reply to a closed ticket opens another one. If not, it is rejected.
    pub may_open_follow_up: bool,
    /// Whether it has happened elsewhere long ago: no agent's capacity bars it.
    pub is_import: bool,
}

impl Request {
    /// A request with nothing but the necessary.
    pub fn new<C: Into<TicketCommand>>(ticket: TicketId, commands: Vec<C>, call: Call) -> Self {
        let commands = commands.into_iter().map(Into::into).collect();
        Self { ticket, commands, call, reopen_until: None, may_open_follow_up: true, is_import: false }
    }
}

impl Deref for Request {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl DerefMut for Request {
    fn deref_mut(&mut self) -> &mut Call {
        &mut self.call
    }
}
