use eventstore::{Position, StoreError};

/// Why a read model did not answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// It has not read the log that far, and did not in the time that was given to it.
    #[error("the read model has not read that far")]
    Behind {
        /// How far it has; `None` where there is none yet.
        position: Option<Position>,
    },
    /// The cursor is not one that was given out for this list.
    #[error("the cursor is not one of this list")]
    InvalidCursor,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
