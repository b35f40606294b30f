//! The fold of an aggregate's stream, for the read models that store it.

use std::sync::Arc;

use eventstore::{RecordedEvent, Version};
use shared_kernel::{Aggregate, Stamp, StreamVersion, codec};

use crate::read_model::{ApplyError, DecodedEvent, Payload};

pub(crate) fn decode<A: Aggregate>(event: &RecordedEvent) -> Result<A::Event, String> {
    codec::decode(&event.event_type, event.schema_version, &event.payload).map_err(|error| describe_chain(&error))
}

/// The same, for [`ReadModel::decode`](crate::read_model::ReadModel::decode).
pub(crate) fn decode_payload<A: Aggregate>(event: &RecordedEvent) -> Result<Payload, String> {
    Ok(Arc::new(decode::<A>(event)?))
}

/// The state after an event.
pub(crate) fn apply<A: Aggregate>(state: Option<A::State>, event: &DecodedEvent) -> Result<A::State, ApplyError> {
    let state = A::evolve(state, event.payload(), &stamp(event));
    state.ok_or_else(|| event.not_applicable(nothing_before(A::TYPE)))
}

/// Why an event can't be applied to a stream without state.
pub(crate) fn nothing_before(stream_type: &str) -> String {
    format!("the {stream_type} does not exist: its stream does not begin with the event that creates it")
}

/// [`apply`] for the audit, which passes over events that can't be read: the audit of the log reports them.
pub(crate) fn apply_recorded<A: Aggregate>(
    state: Option<A::State>,
    recorded: &RecordedEvent,
    event: &A::Event,
) -> Option<A::State> {
    A::evolve(state, event, &recorded_stamp(recorded))
}

pub(crate) fn stamp(event: &DecodedEvent) -> Stamp {
    Stamp { occurred_at: event.occurred_at, version: StreamVersion(event.version.0) }
}

pub(crate) fn recorded_stamp(event: &RecordedEvent) -> Stamp {
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
