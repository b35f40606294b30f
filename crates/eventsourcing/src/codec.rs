//! Recorded events to events of an aggregate, and the reverse.

use chrono::{DateTime, Utc};
use eventstore::{NewEvent, RecordedEvent, StreamType, Version};
use shared_kernel::{Aggregate, DomainEvent, Stamp, StreamVersion, codec};

use crate::ExecuteError;

/// The stream type of an aggregate.
///
/// # Panics
/// If the aggregate's `TYPE` is no valid name of a stream type.
pub const fn stream_type<A: Aggregate>() -> StreamType {
    StreamType::from_static(A::TYPE)
}

/// Writes an event in its newest form.
///
/// # Errors
/// If it has no JSON form.
pub fn encode<E: DomainEvent>(event: &E, occurred_at: DateTime<Utc>) -> Result<NewEvent, ExecuteError> {
    let encoded = codec::encode(event)?;
    Ok(NewEvent::new(encoded.event_type, encoded.schema_version, encoded.payload, occurred_at))
}

/// Reads a recorded event, of whichever version.
///
/// # Errors
/// [`ExecuteError::Corrupt`] if it is not an event of this aggregate, or not one that this program knows.
pub fn decode<E: DomainEvent>(recorded: &RecordedEvent) -> Result<E, ExecuteError> {
    codec::decode(&recorded.event_type, recorded.schema_version, &recorded.payload).map_err(|error| {
        ExecuteError::Corrupt { stream: recorded.stream_id, version: recorded.version, reason: chain(&error) }
    })
}

/// When a recorded event happened, and where it stands.
pub fn stamp(version: Version, occurred_at: DateTime<Utc>) -> Stamp {
    Stamp { occurred_at, version: StreamVersion(version.0) }
}

/// An error and its sources in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}
