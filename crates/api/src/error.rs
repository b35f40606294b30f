//! The one place where errors of the desk become statuses. No wildcard arm: a new error must say what
//! it is to a client. What a 5xx hides from the client goes to the log here, once.

use axum::http::header;
use desk::{AuthError, DeskError};
use eventstore::{AppendError, StoreError};
use projections::ReadError;
use serde_json::json;
use ticket_aggregate::{Rejection, RejectionKind};

use crate::problem::{Code, FieldError, Problem};
use crate::view::EventView;

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::NotFound => not_found(),
            DeskError::NoSuchVersion => {
                Self::new(Code::NoSuchVersion, "The ticket had no such version at that moment.")
            }
            DeskError::PreconditionFailed { current, between, more } => {
                let events = between.iter().map(EventView::from).collect::<Vec<_>>();
                let (more_than, rest) = match more {
                    None => ("", String::new()),
                    Some(cursor) => ("more than ", format!(" Its history goes on with the cursor {cursor}.")),
                };
                let detail = format!(
                    "The ticket is at version {current}: {more_than}{} events came in between.{rest}",
                    events.len()
                );
                Self::new(Code::PreconditionFailed, detail)
                    .with("current_version", current.0)
                    .with("events", json!(events))
                    .with("next_cursor", more.map(|version| version.to_string()))
                    .header(header::ETAG, format!("\"{current}\""))
            }
            DeskError::Rejected(refusal) => refusal.into(),
            DeskError::KeyReused => Self::new(
                Code::IdempotencyKeyReused,
                "This Idempotency-Key belongs to another request of yours; use a new one.",
            ),
            DeskError::SourceIdUsed { ticket } => {
                Self::new(Code::SourceIdUsed, "A ticket was opened with this source_id through this channel before.")
                    .with("ticket_id", ticket.map(|id| id.to_string()))
            }
            DeskError::OtherNotFound => Self::invalid(
                Code::ValidationFailed,
                vec![FieldError::new("/other", "There is no such ticket; name one that you can see.")],
            ),
            DeskError::Contended => {
                tracing::warn!("a ticket is being changed by too many processes at once");
                Self::new(Code::Overloaded, "Too many are changing this ticket at once.").retry_after(1)
            }
            DeskError::Append(error) => error.into(),
            DeskError::Store(error) => error.into(),
            DeskError::Encode(error) => internal(&error),
            error @ DeskError::Corrupt { .. } => internal(&error),
        }
    }
}

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
            | AppendError::StreamTypeMismatch { .. }
            | AppendError::AliasTaken { .. }
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
            ReadError::InvalidCursor => Self::invalid(
                Code::InvalidCursor,
                vec![FieldError::new("?cursor", "it was not given out for this list")],
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
            AuthError::Busy => Self::new(Code::Overloaded, "Too many keys are being verified.").retry_after(1),
            AuthError::Store(fault) => fault.into(),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(refusal: Rejection) -> Self {
        let sentence = sentence(&refusal);
        match (refusal.kind(), &refusal) {
            (RejectionKind::Forbidden, _) => Self::new(Code::Forbidden, sentence).with("rule", refusal.code()),
            (RejectionKind::Invalid, _) => {
                Self::invalid(Code::ValidationFailed, vec![FieldError::new(pointer(&refusal), sentence)])
                    .with("rule", refusal.code())
            }
            (RejectionKind::Conflict, _) => conflict(&refusal, sentence),
        }
    }
}

/// A rule that the ticket's present state breaks.
fn conflict(refusal: &Rejection, sentence: String) -> Problem {
    let code = match refusal {
        Rejection::IllegalTransition { status, allowed, .. } => {
            let allowed = allowed.iter().map(|command| command.as_str()).collect::<Vec<_>>();
            return Problem::new(Code::IllegalTransition, sentence)
                .with("status", status.as_str())
                .with("allowed_commands", allowed);
        }
        Rejection::OpenBlockers { tickets } => {
            let tickets = tickets.iter().map(ToString::to_string).collect::<Vec<_>>();
            return Problem::new(Code::OpenBlockers, sentence).with("tickets", tickets);
        }
        Rejection::NoAssignee => Code::NoAssignee,
        Rejection::NotTeamMember { .. } => Code::NotTeamMember,
        Rejection::NoReplySinceRequester => Code::NoReplySinceRequester,
        Rejection::ReopenDeadlinePassed { .. } => Code::ReopenDeadlinePassed,
        Rejection::ReopenWindowOpen { .. } => Code::ReopenWindowOpen,
        Rejection::AgentAlreadyReplied => Code::AgentAlreadyReplied,
        other => return Problem::new(Code::CommandRefused, sentence).with("rule", other.code()),
    };
    Problem::new(code, sentence)
}

fn sentence(refusal: &Rejection) -> String {
    let text = refusal.to_string();
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).chain(".".chars()).collect()).unwrap_or_default()
}

/// Which member of the body a refusal speaks of.
fn pointer(refusal: &Rejection) -> String {
    match refusal {
        Rejection::Blank { field } | Rejection::TooLong { field, .. } | Rejection::ControlCharacter { field } => {
            format!("/{field}")
        }
        Rejection::WakeAtInPast { .. } => "/wake_at".into(),
        Rejection::ReasonRequired => "/reason".into(),
        Rejection::ReservedCode { .. } => "/code".into(),
        Rejection::LinkToItself => "/other".into(),
        _ => String::new(),
    }
}

pub(crate) fn not_found() -> Problem {
    Problem::new(Code::NotFound, "There is no such ticket, or none that you may see.")
}

pub(crate) fn unauthorized(detail: &str) -> Problem {
    Problem::new(Code::Unauthorized, detail).header(header::WWW_AUTHENTICATE, "Bearer realm=\"docket\"")
}

fn internal(error: &dyn std::error::Error) -> Problem {
    let source = error.source().map(ToString::to_string);
    tracing::error!(%error, source, "a request failed");
    Problem::new(Code::Internal, "Something went wrong on our side; the instance names this request.")
}
