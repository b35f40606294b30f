use eventstore::{AppendError, StoreError, StreamId, Version};
use shared_kernel::codec::EncodeError;

/// Why a command was not executed, other than by the rules' own rejection.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The record is not at a version from which the command was to proceed.
    #[error("the record is at version {current}")]
    PreconditionFailed {
        /// The version that it is at.
        current: Version,
    },
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Other processes kept changing the records: the command was decided too often. Nothing was appended.
    #[error("the record is being changed by too many at once")]
    Contended,
    /// The log did not take it.
    #[error(transparent)]
    Append(AppendError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event can't be written as JSON.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A recorded event can't be read.
    #[error("stream {stream} can't be read at version {version}: {reason}")]
    Corrupt {
        /// The stream.
        stream: StreamId,
        /// The version of the event.
        version: Version,
        /// Why it can't be read.
        reason: String,
    },
}
