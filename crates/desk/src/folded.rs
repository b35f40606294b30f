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

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> RecordedEvent {
        let payload = r#"{"number":7,"requester":null,"channel":"api","subject":"s","body":"b","priority":"normal",
            "category":null,"team":null,"tags":[],"source_id":null,"follow_up_of":null}"#;
        RecordedEvent {
            position: Position(1),
            stream_id: StreamId(uuid::Uuid::from_u128(7)),
            version: Version(1),
            event_type: "ticket.opened".into(),
            schema_version: 2,
            payload: payload.into(),
            metadata: "{}".into(),
            occurred_at: chrono::DateTime::UNIX_EPOCH,
            recorded_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    /// An old snapshot that still parses would be believed. Whoever changes the form raises `SNAPSHOT_SCHEMA` and
    /// writes the new form here.
    #[test]
    fn the_form_of_a_snapshot_is_that_of_its_schema_version() {
        let folded = fold(None, &[opened()]).unwrap().unwrap();
        let json = serde_json::to_value(&folded).unwrap();
        let members =
            |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        let form = format!("{SNAPSHOT_SCHEMA}: {} / {}", members(&json), members(&json["full"]));
        assert_eq!(
            form,
            "1: full id position public version / agent_replied_publicly agent_replied_since_requester assignee body \
             category channel closed_at closed_reason confirmed_by_requester follow_up_of followers links number \
             opened_at priority reopen_count reopen_until requester resolution_code resolved_at source_ids status \
             subject tags team updated_at version wake_at"
        );
        assert_eq!(serde_json::from_value::<Folded>(json).unwrap(), folded, "and it reads back");
    }
}
