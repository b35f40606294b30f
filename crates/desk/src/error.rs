use eventsourcing::ExecuteError;
use eventstore::{AppendError, StoreError, StreamId, Version};
use shared_kernel::codec;
use ticket_aggregate::{Rejection, TicketId};

use crate::Entry;

/// Why the desk did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// There is no such ticket, or the caller may not see it: the two are one answer.
    #[error("there is no such ticket")]
    NotFound,
    /// The ticket is there, but not yet at that version or time.
    #[error("the ticket had no such version")]
    NoSuchVersion,
    /// The ticket is not at a version from which the command was to proceed.
    #[error("the ticket is at version {current}")]
    PreconditionFailed {
        /// The version that it is at.
        current: Version,
        /// What has happened since the version that the caller knew, as they may see it.
        between: Vec<Entry>,
        /// The version after which it goes on, where that is more than a page.
        more: Option<Version>,
    },
    /// The rules refuse a command.
    #[error("{rejection}")]
    Rejected {
        /// Which of the request's commands.
        index: usize,
        /// Why.
        rejection: Rejection,
    },
    /// The caller has used the idempotency key for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A ticket was opened from the same source before.
    #[error("a ticket was opened with this source_id before")]
    SourceIdUsed {
        /// That ticket, if the caller may see it.
        ticket: Option<TicketId>,
    },
    /// The other ticket of a link is not there, or the caller may not see it.
    #[error("the other ticket is not there")]
    OtherNotFound {
        /// Which of the request's commands.
        index: usize,
    },
    /// Others kept changing the ticket.
    #[error("the ticket is being changed by too many at once")]
    Contended,
    /// The log did not take it.
    #[error(transparent)]
    Append(AppendError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event can't be written as JSON.
    #[error(transparent)]
    Encode(#[from] codec::EncodeError),
    /// A recorded event can't be read.
    #[error("stream {stream} can't be read at version {version}: {reason}")]
    Corrupt {
        /// The stream.
        stream: StreamId,
        /// Which of its events.
        version: Version,
        /// Why.
        reason: String,
    },
}

impl From<sqlx::Error> for DeskError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<ExecuteError> for DeskError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::PreconditionFailed { current } => {
                Self::PreconditionFailed { current, between: Vec::new(), more: None }
            }
            ExecuteError::KeyReused => Self::KeyReused,
            ExecuteError::Contended => Self::Contended,
            ExecuteError::Append(error) => Self::Append(error),
            ExecuteError::Store(error) => Self::Store(error),
            ExecuteError::Encode(error) => Self::Encode(error),
            ExecuteError::Corrupt { stream, version, reason } => Self::Corrupt { stream, version, reason },
        }
    }
}
