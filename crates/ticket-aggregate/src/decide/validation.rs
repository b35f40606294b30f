//! Whether a command is sound in itself, whatever the ticket.
//!
//! HTTP has checked a schema before; an import comes straight here.

use crate::command::{Command, Open};
use crate::context::Context;
use crate::limits;
use crate::rejection::Rejection;
use shared_kernel::ActorKind;
use shared_kernel::text::is_unsafe_in_line;

pub(super) fn check(command: &Command, context: &Context) -> Result<(), Rejection> {
    match command {
        Command::Open(open) => opening(open),
        Command::Reply { body, source_id } => {
            prose("body", limits::BODY, body)?;
            optional(source_id.as_ref(), |id| line("source_id", limits::SOURCE_ID, id))
        }
        Command::Note { body } => prose("body", limits::BODY, body),
        Command::Prioritize { reason, .. } | Command::ChangeRequester { reason, .. } => {
            optional(reason.as_ref(), self::reason)
        }
        Command::Categorize { category } => line("category", limits::CATEGORY, category),
        Command::Rename { subject } => line("subject", limits::SUBJECT, subject),
        Command::Hold { reason, wake_at } => {
            self::reason(reason)?;
            match wake_at {
                Some(wake_at) if *wake_at <= context.now => Err(Rejection::WakeAtInPast { wake_at: *wake_at }),
                _ => Ok(()),
            }
        }
        Command::Resolve { code, note } => {
            if code.is_confirmed_by_requester() {
                return Err(Rejection::ReservedCode { code: code.clone() });
            }
            optional(note.as_ref(), |note| prose("note", limits::BODY, note))
        }
        Command::Reopen { reason } => {
            let given = reason.as_ref().is_some_and(|reason| !reason.trim().is_empty());
            if context.actor.kind() != ActorKind::Requester && !given {
                return Err(Rejection::ReasonRequired);
            }
            optional(reason.as_ref(), self::reason)
        }
        Command::Link { other, .. } | Command::Unlink { other, .. } if *other == context.ticket_id => {
            Err(Rejection::LinkToItself)
        }
        Command::Link { .. }
        | Command::Unlink { .. }
        | Command::Assign { .. }
        | Command::Unassign
        | Command::Route { .. }
        | Command::Tag { .. }
        | Command::Untag { .. }
        | Command::Follow { .. }
        | Command::Unfollow { .. }
        | Command::Start
        | Command::AwaitRequester
        | Command::Resume
        | Command::Confirm
        | Command::Close
        | Command::Spam
        | Command::Wake { .. }
        | Command::AutoClose { .. } => Ok(()),
    }
}

fn opening(open: &Open) -> Result<(), Rejection> {
    line("subject", limits::SUBJECT, &open.subject)?;
    prose("body", limits::BODY, &open.body)?;
    optional(open.category.as_ref(), |it| line("category", limits::CATEGORY, it))?;
    optional(open.source_id.as_ref(), |it| line("source_id", limits::SOURCE_ID, it))?;
    if open.tags.len() > limits::TAGS {
        return Err(Rejection::TooManyTags { limit: limits::TAGS });
    }
    Ok(())
}

fn optional(text: Option<&String>, check: impl FnOnce(&str) -> Result<(), Rejection>) -> Result<(), Rejection> {
    text.map_or(Ok(()), |text| check(text))
}

fn reason(text: &str) -> Result<(), Rejection> {
    prose("reason", limits::REASON, text)
}

/// A text of one line: a line break in a subject would be a forged header in a mail.
fn line(field: &'static str, limit: usize, text: &str) -> Result<(), Rejection> {
    sized(field, limit, text)?;
    if text.chars().any(is_unsafe_in_line) {
        return Err(Rejection::ControlCharacter { field });
    }
    Ok(())
}

/// A text of many lines. NUL alone is refused: PostgreSQL can't take it as text.
fn prose(field: &'static str, limit: usize, text: &str) -> Result<(), Rejection> {
    sized(field, limit, text)?;
    if text.contains('\0') {
        return Err(Rejection::ControlCharacter { field });
    }
    Ok(())
}

fn sized(field: &'static str, limit: usize, text: &str) -> Result<(), Rejection> {
    if text.trim().is_empty() {
        return Err(Rejection::Blank { field });
    }
    if text.chars().count() > limit {
        return Err(Rejection::TooLong { field, limit });
    }
    Ok(())
}
