//! The commands whose whole point is the status, with their guards.

use chrono::{DateTime, Utc};
use shared_kernel::{ActorKind, StreamVersion};

use crate::context::Context;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::ticket::Ticket;
use crate::value::{ClosedReason, ResolutionCode, Trigger};

use super::{assignment, conversation};

pub(super) fn await_requester(ticket: &Ticket) -> Result<Vec<Event>, Rejection> {
    if !ticket.agent_replied_since_requester {
        return Err(Rejection::NoReplySinceRequester);
    }
    Ok(vec![Event::TicketPended {}])
}

pub(super) fn hold(reason: &str, wake_at: Option<DateTime<Utc>>) -> Event {
    Event::TicketPutOnHold { reason: Some(reason.to_owned()), wake_at }
}

pub(super) fn resume(ticket: &Ticket, context: &Context) -> Vec<Event> {
    resumed(ticket, trigger(context), context)
}

pub(super) fn wake(ticket: &Ticket, set_by: StreamVersion, context: &Context) -> Result<Vec<Event>, Rejection> {
    check_timer(ticket, set_by)?;
    match ticket.wake_at {
        Some(wake_at) if context.now < wake_at => Err(Rejection::WakeNotDue { wake_at }),
        _ => Ok(resumed(ticket, Trigger::Timer, context)),
    }
}

/// A timer is kept outside of the ticket, and may come after what it waited for was called off or set anew.
fn check_timer(ticket: &Ticket, set_by: StreamVersion) -> Result<(), Rejection> {
    let in_force = ticket.timer_set_by;
    if in_force == Some(set_by) { Ok(()) } else { Err(Rejection::TimerSuperseded { set_by, in_force }) }
}

pub(super) fn resumed(ticket: &Ticket, trigger: Trigger, context: &Context) -> Vec<Event> {
    let resumed = Event::TicketResumed { trigger };
    [resumed].into_iter().chain(assignment::release_unavailable(ticket, context)).collect()
}

pub(super) fn resolve(
    ticket: &Ticket,
    code: &ResolutionCode,
    note: Option<&str>,
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    if !context.open_blockers.is_empty() {
        return Err(Rejection::OpenBlockers { tickets: context.open_blockers.clone() });
    }
    let mut events = match (ticket.assignee, context.actor.agent()) {
        (Some(_), _) => Vec::new(),
        (None, Some(agent)) => assignment::assign(ticket, agent, context)?,
        (None, None) => return Err(Rejection::NoAssignee),
    };
    events.extend(note.map(|note| conversation::note(ticket, note, context)));
    events.push(Event::TicketResolved { code: code.clone(), reopen_until: context.deadline() });
    Ok(events)
}

pub(super) fn confirm(ticket: &Ticket, context: &Context) -> Result<Vec<Event>, Rejection> {
    if ticket.assignee.is_none() {
        return Err(Rejection::NoAssignee);
    }
    let code = ResolutionCode::confirmed_by_requester();
    Ok(vec![Event::TicketResolved { code, reopen_until: context.deadline() }])
}

pub(super) fn reopen(ticket: &Ticket, reason: Option<&String>, context: &Context) -> Result<Vec<Event>, Rejection> {
    match ticket.reopen_until {
        Some(reopen_until) if !may_be_reopened(ticket, context) => {
            Err(Rejection::ReopenDeadlinePassed { reopen_until })
        }
        _ => Ok(reopened(ticket, reason.cloned(), trigger(context), context)),
    }
}

/// The deadline itself still counts as in time.
pub(super) fn may_be_reopened(ticket: &Ticket, context: &Context) -> bool {
    ticket.reopen_until.is_none_or(|until| context.now <= until)
}

pub(super) fn reopened(ticket: &Ticket, reason: Option<String>, trigger: Trigger, context: &Context) -> Vec<Event> {
    let reopened = Event::TicketReopened { reason, count: ticket.reopen_count.saturating_add(1), trigger };
    [reopened].into_iter().chain(assignment::release_unavailable(ticket, context)).collect()
}

/// A requester may end their own ticket at any time; everyone else leaves them the time to come back.
pub(super) fn close(ticket: &Ticket, context: &Context) -> Result<Vec<Event>, Rejection> {
    let settled = ticket.confirmed_by_requester || context.actor.kind() == ActorKind::Requester;
    match ticket.reopen_until {
        Some(reopen_until) if context.now < reopen_until && !settled => {
            Err(Rejection::ReopenWindowOpen { reopen_until })
        }
        _ => Ok(vec![Event::TicketClosed { reason: ClosedReason::Resolved }]),
    }
}

pub(super) fn auto_close(ticket: &Ticket, set_by: StreamVersion, context: &Context) -> Result<Vec<Event>, Rejection> {
    check_timer(ticket, set_by)?;
    close(ticket, context)
}

pub(super) fn spam(ticket: &Ticket) -> Result<Vec<Event>, Rejection> {
    if ticket.agent_replied_publicly {
        return Err(Rejection::AgentAlreadyReplied);
    }
    Ok(vec![Event::TicketClosed { reason: ClosedReason::Spam }])
}

fn trigger(context: &Context) -> Trigger {
    match context.actor.kind() {
        ActorKind::Requester => Trigger::Requester,
        ActorKind::Agent => Trigger::Agent,
        ActorKind::System => Trigger::System,
    }
}
