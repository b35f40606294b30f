//! Which events a reader asks for.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{Position, RecordedEvent, StreamType, Version};

/// Which part of a stream to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct StreamRange {
    /// Only events after this version.
    pub after: Version,
    /// Only events up to this version.
    pub until_version: Option<Version>,
    /// Only events that had happened by then (`occurred_at`).
    pub until_time: Option<DateTime<Utc>>,
    /// Only if the stream has this type: one of another type reads as one that does not exist.
    pub stream_type: Option<StreamType>,
}

impl StreamRange {
    /// The events after a version.
    pub fn after(version: Version) -> Self {
        Self { after: version, ..Self::default() }
    }

    /// The same events, if the stream has this type.
    #[must_use]
    pub fn of_type(self, stream_type: StreamType) -> Self {
        Self { stream_type: Some(stream_type), ..self }
    }
}

/// Which part of the log to read: the events after a position, of all stream types or of some.
///
/// ```
/// use eventstore::{LogRange, Position, StreamType};
///
/// let all = LogRange::from(Position(41));
/// let tickets = LogRange::after(Position(41)).of_types([StreamType::from_static("ticket")]);
/// # let _ = (all, tickets);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRange {
    pub(crate) after: Position,
    pub(crate) types: StreamTypes,
}

impl LogRange {
    /// All events after a position.
    pub fn after(position: Position) -> Self {
        Self { after: position, types: StreamTypes::all() }
    }

    /// Only the events of streams of these types.
    #[must_use]
    pub fn of_types(self, types: impl IntoIterator<Item = StreamType>) -> Self {
        Self { types: StreamTypes::only(types), ..self }
    }
}

impl From<Position> for LogRange {
    fn from(position: Position) -> Self {
        Self::after(position)
    }
}

/// A selection of stream types. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamTypes(Option<Arc<[StreamType]>>);

impl StreamTypes {
    pub(crate) fn all() -> Self {
        Self(None)
    }

    pub(crate) fn only(types: impl IntoIterator<Item = StreamType>) -> Self {
        Self(Some(types.into_iter().collect()))
    }

    pub(crate) fn selects(&self, event: &RecordedEvent) -> bool {
        self.0.as_ref().is_none_or(|types| types.contains(&event.stream_type))
    }

    /// The names for the database; `None`: all.
    pub(crate) fn names(&self) -> Option<Vec<&str>> {
        self.0.as_ref().map(|types| types.iter().map(StreamType::as_str).collect())
    }
}
