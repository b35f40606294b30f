//! Errors of the desk and rejections of the ticket as problems, once. No wildcard arm: a new error or rejection does not compile
//! until it has a code and a pointer here.

use axum::http::header;
use desk::DeskError;
use eventsourcing::ExecuteError;
use serde_json::json;
use ticket_aggregate::Rejection;

use super::view::EventView;
use crate::problem::{Code, FieldError, Problem, internal};

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::NotFound => Self::new(Code::NotFound, "There is no such ticket, or none that you may see."),
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
            DeskError::Rejected { rejection, .. } => rejection.into(),
            DeskError::KeyReused => ExecuteError::KeyReused.into(),
            DeskError::SourceIdUsed { ticket } => {
                Self::new(Code::SourceIdUsed, "A ticket was opened with this source_id through this channel before.")
                    .with("ticket_id", ticket.map(|id| id.to_string()))
            }
            DeskError::OtherNotFound { .. } => Self::faults(
                Code::ValidationFailed,
                FieldError::new("/other", "There is no such ticket; name one that you can see.").into(),
            ),
            DeskError::Contended => ExecuteError::Contended.into(),
            DeskError::Append(error) => error.into(),
            DeskError::Store(error) => error.into(),
            DeskError::Encode(error) => internal(&error),
            error @ DeskError::Corrupt { .. } => internal(&error),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let sentence = sentence(&rejection);
        let conflict = |code| Self::new(code, sentence.clone());
        let invalid = |pointer: &str| {
            Self::faults(Code::ValidationFailed, FieldError::new(pointer, sentence.clone()).into())
                .with("rule", rejection.code())
        };
        match &rejection {
            Rejection::Forbidden { .. }
            | Rejection::NotOwnTicket
            | Rejection::OpenForAnother
            | Rejection::ReservedForStaff { .. }
            | Rejection::AssignOthers { .. } => conflict(Code::Forbidden).with("rule", rejection.code()),

            Rejection::Blank { field } | Rejection::TooLong { field, .. } | Rejection::ControlCharacter { field } => {
                invalid(&format!("/{field}"))
            }
            Rejection::WakeAtInPast { .. } => invalid("/wake_at"),
            Rejection::ReasonRequired => invalid("/reason"),
            Rejection::ReservedCode { .. } => invalid("/code"),
            Rejection::LinkToItself => invalid("/other"),
            Rejection::UnfitActor { .. } => invalid(""),

            Rejection::IllegalTransition { status, allowed, .. } => {
                let allowed = allowed.iter().map(|command| command.as_str()).collect::<Vec<_>>();
                conflict(Code::IllegalTransition).with("status", status.as_str()).with("allowed_commands", allowed)
            }
            Rejection::OpenBlockers { tickets } => {
                let tickets = tickets.iter().map(ToString::to_string).collect::<Vec<_>>();
                conflict(Code::OpenBlockers).with("tickets", tickets)
            }
            Rejection::NoAssignee => conflict(Code::NoAssignee),
            Rejection::NotTeamMember { .. } => conflict(Code::NotTeamMember),
            Rejection::NoReplySinceRequester => conflict(Code::NoReplySinceRequester),
            Rejection::ReopenDeadlinePassed { .. } => conflict(Code::ReopenDeadlinePassed),
            Rejection::ReopenWindowOpen { .. } => conflict(Code::ReopenWindowOpen),
            Rejection::AgentAlreadyReplied => conflict(Code::AgentAlreadyReplied),
            Rejection::NotOpened
            | Rejection::AlreadyOpened
            | Rejection::TooManyTags { .. }
            | Rejection::TooManyFollowers { .. }
            | Rejection::TooManyLinks { .. }
            | Rejection::FollowUpNeeded { .. }
            | Rejection::WakeNotDue { .. } => conflict(Code::CommandRefused).with("rule", rejection.code()),
        }
    }
}

fn sentence(rejection: &Rejection) -> String {
    let text = rejection.to_string();
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).chain(".".chars()).collect()
}
