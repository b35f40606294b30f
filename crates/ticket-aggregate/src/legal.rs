//! Whether a recorded event could have been recorded: the audit's question to the state machine.

use shared_kernel::ActorKind;
use std::fmt;

use crate::command::CommandKind;
use crate::event::{Event, SubjectChange};
use crate::table::{Effect, TABLE};
use crate::ticket::{Link, Ticket};
use crate::value::{ClosedReason, Status, Trigger};

/// Why an event can't have happened in that state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IllegalStep {
    /// Only an opening can come first.
    #[error("{event_type} before the ticket was opened")]
    BeforeOpening {
        /// What was recorded.
        event_type: &'static str,
    },
    /// A ticket is opened once.
    #[error("the ticket is opened a second time")]
    OpenedAgain,
    /// No row of the table leads there.
    #[error("{event_type} is impossible in a ticket that is {status}")]
    WrongStatus {
        /// What was recorded.
        event_type: &'static str,
        /// Where the ticket stood.
        status: Status,
    },
    /// The event says of the state before it what is not so.
    #[error("{event_type} contradicts the ticket: {field} is {actual}")]
    Contradiction {
        /// What was recorded.
        event_type: &'static str,
        /// The ticket's member that it contradicts.
        field: &'static str,
        /// What that member really was.
        actual: String,
    },
}

/// Whether the state machine lets this event follow on that state.
///
/// It checks the status against the same table that `decide` uses, and what the event says of the state before it. Guards
/// that need a clock or other tickets are not checked again.
pub fn legal_step(before: Option<&Ticket>, event: &Event) -> Result<(), IllegalStep> {
    let event_type = event.name();
    let ticket = match (before, event) {
        (None, Event::TicketOpened(_)) => return Ok(()),
        (None, _) => return Err(IllegalStep::BeforeOpening { event_type }),
        (Some(_), Event::TicketOpened(_)) => return Err(IllegalStep::OpenedAgain),
        (Some(ticket), _) => ticket,
    };
    let (commands, by) = origins(event);
    let in_table = TABLE.iter().any(|row| {
        commands.contains(&row.command)
            && row.from.contains(&ticket.status)
            && row.effect != Effect::FollowUp
            && by.is_none_or(|kind| row.roles.iter().any(|role| role.kind() == kind))
    });
    if !in_table {
        return Err(IllegalStep::WrongStatus { event_type, status: ticket.status });
    }
    match premise_of_change(ticket, event).or_else(|| premise_of_member(ticket, event)) {
        Some(Premise { holds: false, field, actual }) => {
            Err(IllegalStep::Contradiction { event_type, field, actual: format!("{actual:?}") })
        }
        _ => Ok(()),
    }
}

/// The commands that record such an event, and which kind of actor must have issued them where that makes a difference.
fn origins(event: &Event) -> (&'static [CommandKind], Option<ActorKind>) {
    use CommandKind as C;
    let requester = Some(ActorKind::Requester);
    match event {
        Event::TicketOpened(_) => (&[C::Open], None),
        Event::PublicReplyAdded { .. } => (&[C::Reply], Some(ActorKind::Agent)),
        Event::RequesterReplied { .. } => (&[C::Reply], requester),
        Event::InternalNoteAdded { .. } => (&[C::Note, C::Resolve], None),
        Event::AgentAssigned { .. } => (&[C::Assign, C::Resolve], None),
        // an absent agent loses a ticket that has just become open again, where they may be unassigned as well
        Event::AgentUnassigned { .. } => (&[C::Unassign, C::Route], None),
        Event::TeamAssigned { .. } => (&[C::Route], None),
        Event::PriorityChanged { .. } => (&[C::Prioritize], None),
        Event::CategoryChanged { .. } => (&[C::Categorize], None),
        Event::TagsAdded { .. } => (&[C::Tag], None),
        Event::TagsRemoved { .. } => (&[C::Untag], None),
        Event::SubjectChanged { .. } => (&[C::Rename], None),
        Event::RequesterChanged { .. } => (&[C::ChangeRequester], None),
        Event::WorkStarted {} => (&[C::Start], None),
        Event::TicketPended {} => (&[C::AwaitRequester], None),
        Event::TicketPutOnHold { .. } => (&[C::Hold], None),
        // a requester's reply resumes and reopens exactly where these commands do
        Event::TicketResumed { trigger } => match trigger {
            Trigger::Timer => (&[C::Wake], None),
            _ => (&[C::Resume], None),
        },
        Event::TicketResolved { code, .. } if code.is_confirmed_by_requester() => (&[C::Confirm], None),
        Event::TicketResolved { .. } => (&[C::Resolve], None),
        Event::TicketReopened { .. } => (&[C::Reopen], None),
        Event::TicketClosed { reason: ClosedReason::Resolved } => (&[C::Close, C::AutoClose], None),
        Event::TicketClosed { reason: ClosedReason::Spam } => (&[C::Spam], None),
        Event::TicketLinked { .. } => (&[C::Link], None),
        Event::TicketUnlinked { .. } => (&[C::Unlink], None),
        Event::FollowerAdded { .. } => (&[C::Follow], None),
        Event::FollowerRemoved { .. } => (&[C::Unfollow], None),
    }
}

/// What an event says of the state before it.
struct Premise<'a> {
    holds: bool,
    field: &'static str,
    actual: &'a dyn fmt::Debug,
}

#[expect(clippy::unnecessary_wraps, reason = "every arm of its callers wants it so")]
fn premise<'a>(holds: bool, field: &'static str, actual: &'a dyn fmt::Debug) -> Option<Premise<'a>> {
    Some(Premise { holds, field, actual })
}

/// Of events that carry the value before: it was so, and they change it.
fn premise_of_change<'a>(ticket: &'a Ticket, event: &Event) -> Option<Premise<'a>> {
    match event {
        Event::AgentAssigned { from, to, .. } => {
            let holds = *from == ticket.assignee && *from != Some(*to);
            premise(holds, "assignee", &ticket.assignee)
        }
        Event::AgentUnassigned { from, .. } => premise(ticket.assignee == Some(*from), "assignee", &ticket.assignee),
        Event::TeamAssigned { from, to } => {
            let holds = *from == ticket.team && *from != Some(*to);
            premise(holds, "team", &ticket.team)
        }
        Event::PriorityChanged { from, to, .. } => {
            premise(*from == ticket.priority && from != to, "priority", &ticket.priority)
        }
        Event::CategoryChanged { from, to } => {
            let holds = *from == ticket.category && from.as_ref() != Some(to);
            premise(holds, "category", &ticket.category)
        }
        Event::SubjectChanged { personal } => {
            let SubjectChange { from, to } = &personal.text;
            premise(*from == ticket.subject && from != to, "subject", &ticket.subject)
        }
        Event::RequesterChanged { from, to, .. } => {
            let holds = *from == ticket.requester && *from != Some(*to);
            premise(holds, "requester", &ticket.requester)
        }
        Event::TicketReopened { count, .. } => {
            let holds = Some(*count) == ticket.reopen_count.checked_add(1);
            premise(holds, "reopen_count", &ticket.reopen_count)
        }
        Event::TicketResolved { .. } => premise(ticket.assignee.is_some(), "assignee", &ticket.assignee),
        _ => None,
    }
}

/// Of events that add to a set or take from it: it was not there, or it was.
fn premise_of_member<'a>(ticket: &'a Ticket, event: &Event) -> Option<Premise<'a>> {
    let Ticket { tags: present, links, followers, .. } = ticket;
    match event {
        Event::TagsAdded { tags } => premise(!tags.is_empty() && tags.is_disjoint(present), "tags", present),
        Event::TagsRemoved { tags } => premise(!tags.is_empty() && tags.is_subset(present), "tags", present),
        Event::TicketLinked { kind, other } => {
            let link = Link { kind: *kind, other: *other };
            premise(!links.contains(&link), "links", links)
        }
        Event::TicketUnlinked { kind, other } => {
            let link = Link { kind: *kind, other: *other };
            premise(links.contains(&link), "links", links)
        }
        Event::FollowerAdded { follower } => premise(!followers.contains(follower), "followers", followers),
        Event::FollowerRemoved { follower } => premise(followers.contains(follower), "followers", followers),
        _ => None,
    }
}
