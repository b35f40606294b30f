use std::fmt;

use chrono::{DateTime, Utc};
use eventstore::{Position, StreamId, Version};
use shared_kernel::Aggregate;

/// A record at a version: the fold of its stream up to there.
pub struct Versioned<A: Aggregate> {
    /// Its id.
    pub id: A::Id,
    /// The version of the last event that was folded.
    pub version: Version,
    /// The position of that event in the log.
    pub position: Position,
    /// When that event happened.
    pub occurred_at: DateTime<Utc>,
    /// The fold.
    pub state: A::State,
}

/// The stream of a record.
pub(crate) fn stream_of<A: Aggregate>(id: A::Id) -> StreamId {
    StreamId(id.into())
}

impl<A: Aggregate> Clone for Versioned<A> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), ..*self }
    }
}

impl<A: Aggregate> PartialEq for Versioned<A> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.version == other.version
            && self.position == other.position
            && self.occurred_at == other.occurred_at
            && self.state == other.state
    }
}

impl<A: Aggregate> fmt::Debug for Versioned<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(A::TYPE)
            .field("id", &self.id)
            .field("version", &self.version)
            .field("position", &self.position)
            .field("occurred_at", &self.occurred_at)
            .field("state", &self.state)
            .finish()
    }
}
