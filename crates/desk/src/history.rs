//! Events as people and programs read them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use eventsourcing::{Versioned, codec};
use eventstore::{Metadata, Position, RecordedEvent, Version};
use serde::Deserialize;
use serde_json::Value;
use ticket_aggregate::{Event, Ticket};
use uuid::Uuid;

use crate::DeskError;
use shared_kernel::{ActorRef, Aggregate, DomainEvent, Principal};

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<E = Event> {
    /// Its place in the record's stream.
    pub version: Version,
    /// Its place in the log.
    pub position: Position,
    /// What happened, in the newest form, as the reader may see it.
    pub event: E,
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

/// A record's events up to a moment.
#[derive(Debug)]
pub struct History<A: Aggregate = Ticket> {
    /// The events, in order.
    pub entries: Vec<Entry<A::Event>>,
    /// The record after them.
    pub record: Arc<Versioned<A>>,
    /// How many events the record has in all.
    pub of: usize,
}

/// A page of a record's events: the record as it is now, the events, and the version to go on after.
pub type HistoryPage<A> = (Arc<Versioned<A>>, Vec<Entry<<A as Aggregate>::Event>>, Option<Version>);

/// The actor that an event's metadata names. If none, or not a sound one: why.
pub(crate) fn actor_of(recorded: &RecordedEvent) -> Result<ActorRef, String> {
    actor_in(&recorded.metadata().map_err(|error| format!("metadata: {error}"))?)
}

/// The same of metadata that could be read.
pub(crate) fn actor_in(metadata: &Metadata) -> Result<ActorRef, String> {
    let actor = metadata.extra.get("actor").ok_or("no actor")?;
    let actor = ActorRef::deserialize(actor).map_err(|error| format!("actor: {error}"))?;
    if actor.is_well_formed() { Ok(actor) } else { Err(format!("actor: {:?} is no {}", actor.id, actor.kind)) }
}

impl<E: DomainEvent> Entry<E> {
    pub(crate) fn read(recorded: &RecordedEvent) -> Result<Self, DeskError> {
        let event = codec::decode(recorded)?;
        let corrupt =
            |reason: String| DeskError::Corrupt { stream: recorded.stream_id, version: recorded.version, reason };
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
}

impl Entry {
    /// The entry as the caller may see it, if at all. A requester sees the public view, no cause, and no key.
    pub(crate) fn seen_by(self, caller: &Principal) -> Option<Self> {
        if caller.is_staff() {
            return Some(self);
        }
        let actor = self.actor.map(|actor| ActorRef { via: None, ..actor });
        Some(Self { event: self.event.public_view()?, actor, cause: None, ..self })
    }
}
