//! The events of a ticket as people and programs read them.

use shared_kernel::ActorRef;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use eventstore::{Position, RecordedEvent, Version};
use serde_json::Value;
use ticket_aggregate::Event;
use uuid::Uuid;

use crate::folded::decode;
use crate::{Caller, DeskError, VersionedTicket};

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place in the ticket.
    pub version: Version,
    /// Its place in the log.
    pub position: Position,
    /// What happened, in the newest form, as the reader may see it.
    pub event: Event,
    /// Who did it.
    pub actor: Option<ActorRef>,
    /// The command that recorded it.
    pub command_id: Uuid,
    /// Why, where it was not the actor's own wish.
    pub cause: Option<Value>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// When the log took it.
    pub recorded_at: DateTime<Utc>,
}

/// A ticket's events up to a moment.
#[derive(Clone, Debug)]
pub struct History {
    /// The events, in order.
    pub entries: Vec<Entry>,
    /// The ticket after them.
    pub folded: Arc<VersionedTicket>,
    /// How many events the ticket has in all.
    pub of: usize,
}

impl Entry {
    pub(crate) fn read(recorded: &RecordedEvent) -> Result<Self, DeskError> {
        let event = decode(recorded)?;
        let corrupt = |reason: String| DeskError::Corrupt {
            ticket: ticket_aggregate::TicketId(recorded.stream_id.0),
            version: recorded.version,
            reason,
        };
        let mut metadata = recorded.metadata().map_err(|e| corrupt(format!("metadata: {e}")))?;
        let actor = metadata.extra.remove("actor").map(serde_json::from_value).transpose();
        Ok(Self {
            version: recorded.version,
            position: recorded.position,
            event,
            actor: actor.map_err(|e| corrupt(format!("actor: {e}")))?,
            command_id: metadata.command_id.0,
            cause: metadata.extra.remove("cause"),
            occurred_at: recorded.occurred_at,
            recorded_at: recorded.recorded_at,
        })
    }

    /// The entry as the caller may see it, if at all. A requester sees the public view, and no cause.
    pub(crate) fn seen_by(self, caller: &Caller) -> Option<Self> {
        if caller.is_staff() {
            return Some(self);
        }
        Some(Self { event: self.event.public_view()?, cause: None, ..self })
    }
}
