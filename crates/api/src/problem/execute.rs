//! Errors of executing a command on any kind of record, as problems.

use axum::http::header;
use eventsourcing::ExecuteError;

use super::{Code, Problem, internal};

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::PreconditionFailed { current } => {
                Self::new(Code::PreconditionFailed, format!("The record is at version {current}."))
                    .with("current_version", current.0)
                    .header(header::ETAG, format!("\"{current}\""))
            }
            ExecuteError::KeyReused => Self::new(
                Code::IdempotencyKeyReused,
                "This Idempotency-Key belongs to another request of yours; use a new one.",
            ),
            ExecuteError::Contended => {
                tracing::warn!("a record is changed by too many processes at once");
                Self::new(Code::Overloaded, "Too many processes are changing this record at once.").retry_after(1)
            }
            ExecuteError::Append(error) => error.into(),
            ExecuteError::Store(error) => error.into(),
            error @ (ExecuteError::Encode(_) | ExecuteError::Corrupt { .. }) => internal(&error),
        }
    }
}
