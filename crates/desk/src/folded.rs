//! A ticket, folded from its stream: as staff see it, and from its public events alone.

use eventstore::{Position, RecordedEvent, StreamId, Version};
use serde::{Deserialize, Serialize};
use ticket_aggregate::{Event, Stamp, State, StreamVersion, Ticket, TicketId, codec, evolve};

use crate::error::chain;
use crate::{Caller, DeskError};

/// A ticket at a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Folded {
    /// Its id.
    pub id: TicketId,
    /// The version that this is the fold of.
    pub version: Version,
    /// The position of that version's event.
    pub position: Position,
    /// The fold of all events.
    pub full: Ticket,
    /// The fold of the public events only: all that a requester's view is made of.
    pub public: Ticket,
}

impl Folded {
    /// The ticket as the caller may see it.
    pub fn seen_by(&self, caller: &Caller) -> &Ticket {
        if caller.is_staff() { &self.full } else { &self.public }
    }
}

/// The form of [`Folded`] in snapshots; to be raised with every change of it or of [`Ticket`].
pub(crate) const SNAPSHOT_SCHEMA: i16 = 1;

pub(crate) fn stream_of(ticket: TicketId) -> StreamId {
    StreamId(ticket.0)
}

/// Reads a recorded event of a ticket.
pub(crate) fn decode(recorded: &RecordedEvent) -> Result<Event, DeskError> {
    codec::decode(&recorded.event_type, recorded.schema_version, &recorded.payload).map_err(|error| {
        DeskError::Corrupt { ticket: TicketId(recorded.stream_id.0), version: recorded.version, reason: chain(&error) }
    })
}

pub(crate) fn stamp(version: Version, occurred_at: chrono::DateTime<chrono::Utc>) -> Stamp {
    Stamp { occurred_at, version: StreamVersion(version.0.unsigned_abs()) }
}

/// Folds further events onto a ticket.
pub(crate) fn fold(known: Option<Folded>, events: &[RecordedEvent]) -> Result<Option<Folded>, DeskError> {
    let Some(last) = events.last() else { return Ok(known) };
    let (mut full, mut public): (State, State) = known.map(|k| (k.full, k.public)).unzip();
    for recorded in events {
        let event = decode(recorded)?;
        let stamp = stamp(recorded.version, recorded.occurred_at);
        if let Some(shown) = event.public_view() {
            public = evolve(public, &shown, &stamp);
        }
        full = evolve(full, &event, &stamp);
    }
    Ok(full.zip(public).map(|(full, public)| Folded {
        id: TicketId(last.stream_id.0),
        version: last.version,
        position: last.position,
        full,
        public,
    }))
}
