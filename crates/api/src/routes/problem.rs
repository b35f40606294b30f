//! Errors of the desk as problems, once. No wildcard arm: a new error does not compile until it has a code here.

use axum::http::header;
use desk::{DeskError, RecordRejection, UnknownName};
use eventsourcing::ExecuteError;
use eventstore::Version;
use serde_json::json;
use shared_kernel::RejectionKind;

use super::history::EventView;
use crate::problem::{Code, FieldError, Problem, internal, sentence};

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::NotFound => Self::new(Code::NotFound, "There is no such ticket, or none that you may see."),
            DeskError::NoSuchRecord { kind } => Self::new(Code::NotFound, format!("There is no such {kind}.")),
            DeskError::NoSuchVersion => {
                Self::new(Code::NoSuchVersion, "The record had no such version at that moment.")
            }
            DeskError::PreconditionFailed { current, between, more } => {
                let events: Vec<_> = between.iter().map(EventView::from).collect();
                precondition_failed(current, &events, more)
            }
            DeskError::Rejected { rejection, .. } => rejection.into(),
            DeskError::RecordRejected { rejection, .. } => rejection.into(),
            DeskError::UnknownName { unknown: UnknownName { field, name }, .. } => {
                let detail = format!("nobody and nothing goes by the name of {name:?}; name one that exists");
                Self::faults(Code::ValidationFailed, FieldError::new(format!("/{field}"), detail).into())
                    .with("rule", "unknown_name")
            }
            DeskError::PersonBlocked { .. } => {
                Self::new(Code::PersonBlocked, "This person is blocked; unblock them first.")
            }
            DeskError::NameUsed { scope, holder } => Self::new(Code::NameUsed, "This name belongs to another record.")
                .with("scope", scope)
                .with("holder", holder.to_string()),
            DeskError::OthersOnly => {
                Self::new(Code::Forbidden, "You may do this to yourself only; ask a lead.").with("rule", "others_only")
            }
            DeskError::KeyReused => ExecuteError::KeyReused.into(),
            DeskError::SourceIdUsed { ticket } => {
                Self::new(Code::SourceIdUsed, "A ticket was opened with this source_id through this channel before.")
                    .with("ticket_id", ticket.map(|id| id.to_string()))
            }
            DeskError::OtherNotFound { .. } => Self::faults(
                Code::ValidationFailed,
                FieldError::new("/other", "There is no such ticket; name one that you can see.").into(),
            ),
            DeskError::Key(error) => error.into(),
            DeskError::Contended => ExecuteError::Contended.into(),
            DeskError::Append(error) => error.into(),
            DeskError::Store(error) => error.into(),
            DeskError::Encode(error) => internal(&error),
            error @ DeskError::Corrupt { .. } => internal(&error),
        }
    }
}

impl From<RecordRejection> for Problem {
    fn from(rejection: RecordRejection) -> Self {
        let RecordRejection { kind, code, field, text } = rejection;
        let text = sentence(&text);
        let problem = match kind {
            RejectionKind::Forbidden => Self::new(Code::Forbidden, text),
            RejectionKind::Invalid => {
                let pointer = field.map_or_else(String::new, |field| format!("/{field}"));
                Self::faults(Code::ValidationFailed, FieldError::new(pointer, text).into())
            }
            RejectionKind::Conflict if code == "at_capacity" => return Self::new(Code::AgentAtCapacity, text),
            RejectionKind::Conflict => Self::new(Code::CommandRefused, text),
        };
        problem.with("rule", code)
    }
}

/// 412: the version that the record is at, and the events since the one that the caller knew, as far as a page of them goes.
pub(super) fn precondition_failed(current: Version, events: &[EventView], more: Option<Version>) -> Problem {
    let (more_than, rest) = match more {
        None => ("", String::new()),
        Some(cursor) => ("more than ", format!(" Its history goes on with the cursor {cursor}.")),
    };
    let detail =
        format!("The record is at version {current}: {more_than}{} events came in between.{rest}", events.len());
    Problem::new(Code::PreconditionFailed, detail)
        .with("current_version", current.0)
        .with("events", json!(events))
        .with("next_cursor", more.map(|version| version.to_string()))
        .header(header::ETAG, format!("\"{current}\""))
}
