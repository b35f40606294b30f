//! What an event means for a ticket: total and infallible, for what is recorded has happened.

use shared_kernel::Stamp;
use std::collections::BTreeSet;

use crate::event::{Event, TicketOpened};
use crate::ticket::{Link, Ticket};
use crate::value::Status;

/// The state after an event.
///
/// An event that can't have been recorded in that state, such as one before the opening, changes nothing but the stamp:
/// finding such histories is [`legal_step`](crate::legal_step)'s business.
#[must_use]
pub(crate) fn evolve(ticket: Option<Ticket>, event: &Event, stamp: &Stamp) -> Option<Ticket> {
    let mut ticket = match (ticket, event) {
        (None, Event::TicketOpened(opened)) => return Some(opened_ticket(opened, stamp)),
        (None, _) => return None,
        (Some(ticket), _) => ticket,
    };
    apply(&mut ticket, event, stamp);
    ticket.updated_at = stamp.occurred_at;
    ticket.version = stamp.version;
    if event.public_view().is_some() {
        ticket.public_updated_at = stamp.occurred_at;
        ticket.public_version = stamp.version;
    }
    Some(ticket)
}

fn opened_ticket(opened: &TicketOpened, stamp: &Stamp) -> Ticket {
    Ticket {
        version: stamp.version,
        updated_at: stamp.occurred_at,
        public_version: stamp.version,
        public_updated_at: stamp.occurred_at,
        status: Status::New,
        assignee: None,
        agent_replied_publicly: false,
        agent_replied_since_requester: false,
        resolved_at: None,
        resolution_code: None,
        confirmed_by_requester: false,
        reopen_until: None,
        reopen_count: 0,
        hold_reason: None,
        wake_at: None,
        timer_set_by: None,
        closed_at: None,
        closed_reason: None,
        priority: opened.priority,
        category: opened.category.clone(),
        team: opened.team,
        tags: opened.tags.clone(),
        followers: BTreeSet::new(),
        links: BTreeSet::new(),
        source_ids: opened.source_id.iter().cloned().collect(),
        number: opened.number,
        opened_at: stamp.occurred_at,
        channel: opened.channel.clone(),
        requester: opened.requester,
        follow_up_of: opened.follow_up_of,
        subject: opened.personal.text.subject.clone(),
        body: opened.personal.text.body.clone(),
    }
}

fn apply(ticket: &mut Ticket, event: &Event, stamp: &Stamp) {
    match event {
        Event::PublicReplyAdded { source_id, .. } => {
            ticket.agent_replied_publicly = true;
            ticket.agent_replied_since_requester = true;
            ticket.source_ids.extend(source_id.clone());
            take_up(ticket);
        }
        Event::RequesterReplied { source_id, .. } => {
            ticket.agent_replied_since_requester = false;
            ticket.source_ids.extend(source_id.clone());
        }
        Event::AgentAssigned { to, .. } => {
            ticket.assignee = Some(*to);
            take_up(ticket);
        }
        Event::AgentUnassigned { .. } => ticket.assignee = None,
        Event::TeamAssigned { to, .. } => ticket.team = Some(*to),
        Event::PriorityChanged { to, .. } => ticket.priority = *to,
        Event::CategoryChanged { to, .. } => ticket.category = Some(to.clone()),
        Event::TagsAdded { tags } => ticket.tags.extend(tags.iter().cloned()),
        Event::TagsRemoved { tags } => ticket.tags.retain(|tag| !tags.contains(tag)),
        Event::SubjectChanged { personal } => ticket.subject.clone_from(&personal.text.to),
        Event::RequesterChanged { to, .. } => ticket.requester = Some(*to),
        Event::TicketLinked { kind, other } => {
            ticket.links.insert(Link { kind: *kind, other: *other });
        }
        Event::TicketUnlinked { kind, other } => {
            ticket.links.remove(&Link { kind: *kind, other: *other });
        }
        Event::FollowerAdded { follower } => {
            ticket.followers.insert(*follower);
        }
        Event::FollowerRemoved { follower } => {
            ticket.followers.remove(follower);
        }
        // a second opening is a fault of the log, a note means nothing for the ticket itself
        Event::TicketOpened(_) | Event::InternalNoteAdded { .. } => {}
        Event::WorkStarted {}
        | Event::TicketPended {}
        | Event::TicketPutOnHold { .. }
        | Event::TicketResumed { .. }
        | Event::TicketResolved { .. }
        | Event::TicketReopened { .. }
        | Event::TicketClosed { .. } => proceed(ticket, event, stamp),
    }
}

/// The events whose whole point is the status.
fn proceed(ticket: &mut Ticket, event: &Event, stamp: &Stamp) {
    match event {
        Event::WorkStarted {} => take_up(ticket),
        Event::TicketPended {} => ticket.status = Status::Pending,
        Event::TicketPutOnHold { reason, wake_at } => {
            ticket.status = Status::OnHold;
            ticket.hold_reason.clone_from(reason);
            ticket.wake_at = *wake_at;
            ticket.timer_set_by = wake_at.map(|_| stamp.version);
        }
        Event::TicketResumed { .. } => {
            ticket.status = Status::Open;
            ticket.hold_reason = None;
            ticket.wake_at = None;
            ticket.timer_set_by = None;
        }
        Event::TicketResolved { code, reopen_until } => {
            ticket.status = Status::Resolved;
            ticket.hold_reason = None;
            ticket.wake_at = None;
            ticket.resolved_at = Some(stamp.occurred_at);
            ticket.reopen_until = Some(*reopen_until);
            ticket.timer_set_by = Some(stamp.version);
            ticket.confirmed_by_requester = code.is_confirmed_by_requester();
            ticket.resolution_code = Some(code.clone());
        }
        Event::TicketReopened { count, .. } => {
            ticket.status = Status::Open;
            ticket.reopen_count = *count;
            ticket.resolved_at = None;
            ticket.reopen_until = None;
            ticket.timer_set_by = None;
            ticket.confirmed_by_requester = false;
            ticket.resolution_code = None;
        }
        Event::TicketClosed { reason } => {
            ticket.status = Status::Closed;
            ticket.hold_reason = None;
            ticket.wake_at = None;
            ticket.timer_set_by = None;
            ticket.closed_at = Some(stamp.occurred_at);
            ticket.closed_reason = Some(*reason);
        }
        _ => {}
    }
}

/// A new ticket is open as soon as an agent has it, answers it or starts on it.
fn take_up(ticket: &mut Ticket) {
    if ticket.status == Status::New {
        ticket.status = Status::Open;
    }
}
