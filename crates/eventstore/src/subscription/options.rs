use crate::range::StreamTypes;
use crate::{Position, StreamType};

/// What a subscription reads, and how much at once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SubscriptionOptions {
    pub(super) types: StreamTypes,
    pub(super) start: StartFrom,
    pub(super) max_events: usize,
    pub(super) max_bytes: usize,
}

impl Default for SubscriptionOptions {
    fn default() -> Self {
        Self { types: StreamTypes::all(), start: StartFrom::Beginning, max_events: 1_000, max_bytes: 1024 * 1024 }
    }
}

impl SubscriptionOptions {
    /// All events from the beginning of the log, in batches of at most 1,000 events and about 1 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only the events of streams of these types.
    #[must_use]
    pub fn of_types(self, types: impl IntoIterator<Item = StreamType>) -> Self {
        Self { types: StreamTypes::only(types), ..self }
    }

    /// Where the subscription begins when it has no checkpoint yet.
    #[must_use]
    pub fn start_from(self, start: StartFrom) -> Self {
        Self { start, ..self }
    }

    /// The most events of a batch, at least one.
    #[must_use]
    pub fn max_events(self, max_events: usize) -> Self {
        Self { max_events: max_events.max(1), ..self }
    }

    /// The most bytes of a batch's payloads and metadata. A batch always holds one event, however large it is.
    #[must_use]
    pub fn max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }
}

/// Where a subscription begins that has no checkpoint yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartFrom {
    /// The first event of the log.
    #[default]
    Beginning,
    /// The first event that is appended from now on.
    End,
    /// The first event after a position.
    After(Position),
}
