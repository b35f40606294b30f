//! Errors of the log, the read models and the keys as problems. No wildcard arm: a new error must say what it is to a
//! client. What a 5xx hides from the client goes to the log here, once.

use desk::AuthError;
use eventstore::{AppendError, StoreError};
use projections::ReadError;

use super::{Code, FieldError, Problem, internal, unauthorized};

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::TooLarge { size, what, limit } => {
                Self::new(Code::ContentTooLarge, format!("This would record {size} {what}; the most is {limit}."))
            }
            AppendError::Overloaded => Self::new(Code::Overloaded, "Too many commands are waiting.").retry_after(1),
            AppendError::Closed => Self::new(Code::Unavailable, "This server is shutting down.").retry_after(1),
            AppendError::OutcomeUnknown(cause) => {
                tracing::error!(%cause, "the outcome of an append is unknown");
                Self::new(
                    Code::OutcomeUnknown,
                    "Repeat the request with the same Idempotency-Key to learn its outcome.",
                )
                .retry_after(2)
            }
            AppendError::Store(fault) => fault.into(),
            // the desk sees to these itself
            error @ (AppendError::Conflict { .. }
            | AppendError::AliasTaken { .. }
            | AppendError::StreamTypeMismatch { .. }
            | AppendError::AliasNotHeld { .. }
            | AppendError::TimeRunsBackwards
            | AppendError::Malformed(_)) => internal(&error),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Behind { position } => {
                Self::new(Code::ReadModelBehind, "The read model has not read the log that far yet.")
                    .with("position", position.map(|position| position.0))
                    .retry_after(1)
            }
            ReadError::InvalidCursor => Self::faults(
                Code::InvalidCursor,
                FieldError::new("?cursor", "it was not given out for this list").into(),
            ),
            ReadError::UnreadableRow(reason) => {
                tracing::error!(reason, "a row of a read model can't be read");
                Self::new(Code::ReadModelBehind, "The read model is being rebuilt.").retry_after(5)
            }
            ReadError::Store(fault) => fault.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(fault: StoreError) -> Self {
        match fault {
            StoreError::Unavailable(cause) => {
                tracing::error!(%cause, "the database is not available");
                Self::new(Code::Unavailable, "The database can't be reached.").retry_after(2)
            }
            fault @ (StoreError::Database(_) | StoreError::Corrupt(_)) => internal(&fault),
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Malformed => unauthorized("The Authorization header holds no API key, or a mistyped one."),
            AuthError::Invalid => unauthorized("The API key is unknown or revoked."),
            AuthError::Blocked => {
                Self::new(Code::CallerBlocked, "You, or the person for whom you act, are blocked; ask a lead.")
            }
            AuthError::Busy => Self::new(Code::Overloaded, "Too many keys are being verified.").retry_after(1),
            AuthError::Unreadable(error) => internal(&error),
            AuthError::Store(fault) => fault.into(),
        }
    }
}
