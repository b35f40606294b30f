use std::error::Error;
use std::sync::Arc;

use crate::{StreamId, StreamType, Version};

/// What the database driver reported. Shared by all the units of a batch.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// The database did not do what was asked. Shared by all the units of a batch.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached, the connection was lost, or a time-out ended the statement. Try again later.
    #[error("the database is not available")]
    Unavailable(#[source] Cause),
    /// It refused the statement.
    #[error("the database refused the statement")]
    Database(#[source] Cause),
    /// Stored data can't be read.
    #[error("the stored data can't be read: {0}")]
    Corrupt(String),
}

/// Why a unit was not appended.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// A stream is not at the expected version.
    #[error("stream {stream_id} is at version {current}")]
    Conflict {
        /// The first such stream of the unit.
        stream_id: StreamId,
        /// The version that it is at.
        current: Version,
    },
    /// The stream exists, and has another type.
    #[error("stream {stream_id} is a {stream_type}, not a {given}")]
    StreamTypeMismatch {
        /// The stream.
        stream_id: StreamId,
        /// The type that it has.
        stream_type: StreamType,
        /// The type that the append gave it.
        given: StreamType,
    },
    /// Another stream has the alias.
    #[error("the alias of scope {scope} belongs to stream {holder}")]
    AliasTaken {
        /// The alias's scope.
        scope: String,
        /// Who has it.
        holder: StreamId,
    },
    /// The alias that was to be released belongs to another stream, or to none.
    #[error("the alias of scope {scope} does not belong to the stream that releases it")]
    AliasNotHeld {
        /// The alias's scope.
        scope: String,
        /// Who has it, if anybody.
        holder: Option<StreamId>,
    },
    /// An event's time lies before the stream's last event.
    #[error("an event's time lies before its stream's last event")]
    TimeRunsBackwards,
    /// Larger than the log accepts.
    #[error("{size} {what}; the limit is {limit}")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// How much it was.
        size: usize,
        /// The most that is accepted.
        limit: usize,
    },
    /// The unit is invalid, whatever the log holds.
    #[error("the unit is malformed: {0}")]
    Malformed(&'static str),
    /// The queue is full. Nothing was appended; try again later.
    #[error("too many appends are waiting")]
    Overloaded,
    /// The store is closing. Nothing was appended.
    #[error("the event store is closed")]
    Closed,
    /// The connection was lost during the commit and could not be restored in time. The unit's receipt tells later whether it
    /// was appended.
    #[error("the outcome of the append is unknown")]
    OutcomeUnknown(#[source] Cause),
    /// The database did not take it. Nothing was appended.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::shared(Arc::new(error))
    }
}

impl StoreError {
    pub(crate) fn shared(error: Arc<sqlx::Error>) -> Self {
        match &*error {
            sqlx::Error::Database(e) if !is_transient(e.code().as_deref()) => Self::Database(error),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Corrupt(error.to_string()),
            _ => Self::Unavailable(error),
        }
    }

    /// Whether the connection over which it was asked may be gone.
    pub(crate) fn is_connection_lost(&self) -> bool {
        match self {
            Self::Unavailable(cause) => cause.downcast_ref().is_none_or(is_lost),
            Self::Database(_) | Self::Corrupt(_) => false,
        }
    }
}

/// Whether a SQLSTATE tells of the server's condition rather than of the statement.
fn is_transient(code: Option<&str>) -> bool {
    // 08 connection, 40 rollback, 53 resources, 55P03 lock time-out, 57 operator intervention, 58 system
    code.is_some_and(|c| c == "55P03" || ["08", "40", "53", "57", "58"].iter().any(|class| c.starts_with(class)))
}

/// Whether the connection may have been lost: the server's answer, if there was one, is unknown.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(e) => e.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_none_or(|e| {
            matches!(e.severity(), sqlx::postgres::PgSeverity::Fatal | sqlx::postgres::PgSeverity::Panic)
        }),
        _ => true,
    }
}
