use eventstore::{Position, StoreError};

/// Why a read model did not answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// It has not read the log up to the requested position in time.
    #[error("the read model has not read that far yet")]
    Behind {
        /// How far it has read; `None` while the read model is built for the first time.
        position: Option<Position>,
    },
    /// The page cursor was not issued for this list.
    #[error("the cursor was not issued for this list")]
    InvalidCursor,
    /// A stored row can't be read; unless another version of the program has written it, a rebuild has begun.
    #[error("a stored row can't be read: {0}")]
    UnreadableRow(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
