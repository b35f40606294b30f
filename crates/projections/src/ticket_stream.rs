//! What the read models of tickets share: which events are a ticket's, how they are decoded, and how they are folded.

use shared_kernel::{Aggregate, Stamp, StreamVersion, codec};
use std::sync::Arc;

use eventstore::{RecordedEvent, StreamType, Version};
use ticket_aggregate::{Event, Ticket};

use crate::read_model::{ApplyError, DecodedEvent, Payload};

pub(crate) const STREAM_TYPE: StreamType = StreamType::from_static("ticket");

/// Whether the event belongs to a ticket.
pub(crate) fn is_ticket_event(event: &RecordedEvent) -> bool {
    event.stream_type == STREAM_TYPE
}

pub(crate) fn decode(event: &RecordedEvent) -> Result<Event, String> {
    codec::decode(&event.event_type, event.schema_version, &event.payload).map_err(|error| describe_chain(&error))
}

/// The same, for [`ReadModel::decode`](crate::read_model::ReadModel::decode).
pub(crate) fn decode_payload(event: &RecordedEvent) -> Result<Payload, String> {
    Ok(Arc::new(decode(event)?))
}

/// The ticket after an event.
pub(crate) fn fold(ticket: Option<Ticket>, event: &DecodedEvent) -> Result<Ticket, ApplyError> {
    let ticket = Ticket::evolve(ticket, event.payload(), &stamp(event));
    ticket.ok_or_else(|| event.not_applicable("the ticket was never opened"))
}

/// The same for the audit, which passes over events that can't be read: the audit of the log reports them.
pub(crate) fn fold_recorded(ticket: Option<Ticket>, recorded: &RecordedEvent, event: &Event) -> Option<Ticket> {
    let version = StreamVersion(recorded.version.0);
    Ticket::evolve(ticket, event, &Stamp { occurred_at: recorded.occurred_at, version })
}

pub(crate) fn stamp(event: &DecodedEvent) -> Stamp {
    Stamp { occurred_at: event.occurred_at, version: StreamVersion(event.version.0) }
}

pub(crate) fn version_of(folded: StreamVersion) -> Version {
    Version(folded.0)
}

/// An error and its sources in one line.
fn describe_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
