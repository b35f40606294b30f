//! Replies and notes.

use crate::command::Command;
use crate::context::Context;
use crate::event::{Event, Message};
use crate::rejection::Rejection;
use crate::ticket::Ticket;
use crate::value::{Status, Trigger};
use shared_kernel::{ActorKind, Personal};

use super::{lifecycle, personal};

/// Whether the message is on the ticket already: a mail that was delivered again. Asked before the status is looked at,
/// for the first delivery may have changed it.
pub(super) fn is_repeated(ticket: &Ticket, command: &Command) -> bool {
    match command {
        Command::Reply { source_id: Some(id), .. } => ticket.source_ids.contains(id),
        _ => false,
    }
}

pub(super) fn reply(
    ticket: &Ticket,
    body: &str,
    source_id: Option<&String>,
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    if context.actor.kind() == ActorKind::Requester {
        return requesters_reply(ticket, body, source_id, context);
    }
    Ok(vec![Event::PublicReplyAdded {
        message_id: context.message_id,
        personal: message(ticket, body, context),
        recipients: ticket.recipients(&context.identities),
        source_id: source_id.cloned(),
    }])
}

fn requesters_reply(
    ticket: &Ticket,
    body: &str,
    source_id: Option<&String>,
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    let replied = Event::RequesterReplied {
        message_id: context.message_id,
        personal: message(ticket, body, context),
        source_id: source_id.cloned(),
    };
    let trigger = Trigger::RequesterReply;
    match ticket.status {
        Status::New | Status::Open => Ok(vec![replied]),
        Status::Pending | Status::OnHold => Ok([vec![replied], lifecycle::resumed(ticket, trigger, context)].concat()),
        Status::Resolved if lifecycle::may_be_reopened(ticket, context) => {
            Ok([vec![replied], lifecycle::reopened(ticket, None, trigger, context)].concat())
        }
        status @ (Status::Resolved | Status::Closed) => Err(Rejection::FollowUpNeeded { status }),
    }
}

pub(super) fn note(ticket: &Ticket, body: &str, context: &Context) -> Event {
    Event::InternalNoteAdded { message_id: context.message_id, personal: message(ticket, body, context) }
}

fn message(ticket: &Ticket, body: &str, context: &Context) -> Personal<Message> {
    personal::words(ticket.requester, &context.actor, Message { body: body.to_owned() })
}
