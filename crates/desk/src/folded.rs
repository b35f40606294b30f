//! A ticket, folded from its stream.

use shared_kernel::{Aggregate, Stamp, StreamVersion, codec};
use std::borrow::Cow;
use std::pin::pin;

use eventstore::{Position, RecordedEvent, StoreError, StreamId, Version};
use futures_util::{Stream, TryStreamExt};
use serde::{Deserialize, Serialize};
use ticket_aggregate::{Event, Ticket, TicketId};

use crate::error::chain;
use crate::{Caller, DeskError};

/// A ticket at a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionedTicket {
    /// Its id.
    pub id: TicketId,
    /// The version that this is the fold of.
    pub version: Version,
    /// The position of that version's event.
    pub position: Position,
    /// The fold of its events.
    pub ticket: Ticket,
}

impl VersionedTicket {
    /// The ticket as the caller may see it.
    pub fn seen_by(&self, caller: &Caller) -> Cow<'_, Ticket> {
        if caller.is_staff() { Cow::Borrowed(&self.ticket) } else { Cow::Owned(self.ticket.public_view()) }
    }
}

/// The form of [`VersionedTicket`] in snapshots; to be raised with every change of it or of [`Ticket`].
pub(crate) const SNAPSHOT_SCHEMA: i16 = 2;

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
    Stamp { occurred_at, version: StreamVersion(version.0) }
}

/// Folds further events onto a ticket.
pub(crate) fn fold(
    known: Option<VersionedTicket>,
    events: &[RecordedEvent],
) -> Result<Option<VersionedTicket>, DeskError> {
    let Some(last) = events.last() else { return Ok(known) };
    let mut state: Option<Ticket> = known.map(|known| known.ticket);
    for recorded in events {
        let event = decode(recorded)?;
        state = Ticket::evolve(state, &event, &stamp(recorded.version, recorded.occurred_at));
    }
    Ok(state.map(|ticket| VersionedTicket {
        id: TicketId(last.stream_id.0),
        version: last.version,
        position: last.position,
        ticket,
    }))
}

/// The same with those that are still to be read.
pub(crate) async fn fold_pages(
    mut known: Option<VersionedTicket>,
    pages: impl Stream<Item = Result<Vec<RecordedEvent>, StoreError>>,
) -> Result<Option<VersionedTicket>, DeskError> {
    let mut pages = pin!(pages);
    while let Some(page) = pages.try_next().await? {
        known = fold(known, &page)?;
    }
    Ok(known)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn opened() -> RecordedEvent {
        let payload = r#"{"number":7,"requester":null,"channel":"api","subject":"s","body":"b","priority":"normal",
            "category":null,"team":null,"tags":[],"source_id":null,"follow_up_of":null}"#;
        RecordedEvent {
            position: Position(1),
            stream_id: StreamId(uuid::Uuid::from_u128(7)),
            stream_type: eventstore::StreamType::from_static("ticket"),
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
        let members = json.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        // what is not there is left out of the JSON
        let all = format!("{:#?}", folded.ticket);
        let top = all.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| !line.starts_with(' '));
        let fields = top.filter_map(|line| Some(line.split_once(':')?.0)).collect::<Vec<_>>().join(" ");
        assert_eq!(
            format!("{SNAPSHOT_SCHEMA}: {members} / {fields}"),
            "2: id position ticket version / version updated_at public_version public_updated_at status assignee \
             agent_replied_publicly agent_replied_since_requester resolved_at resolution_code confirmed_by_requester \
             reopen_until reopen_count wake_at closed_at closed_reason priority category team tags followers links \
             source_ids number opened_at channel requester follow_up_of subject body"
        );
        assert_eq!(serde_json::from_value::<VersionedTicket>(json).unwrap(), folded, "and it reads back");
    }
}
