use eventstore::{AppendError, StoreError, Version};
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
    /// The rules refuse the command.
    #[error(transparent)]
    Rejected(Rejection),
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
    OtherNotFound,
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
    #[error("ticket {ticket} can't be read at version {version}: {reason}")]
    Corrupt {
        /// The ticket.
        ticket: TicketId,
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

/// An error and its sources in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
