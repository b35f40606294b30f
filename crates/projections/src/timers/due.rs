//! The timer of a ticket.

use chrono::{DateTime, TimeDelta, Utc};
use eventstore::{StreamId, Version};
use shared_kernel::{Aggregate, Stamp, StreamVersion};
use ticket_aggregate::{Channel, Event, Status, Ticket, TicketNumber, TicketOpened};

use super::columns::TimerRow;
use crate::ticket_stream::STREAM_TYPE;

const WAKE: &str = "wake";
const CLOSE: &str = "close";

/// An event is history if it was recorded so long after it happened.
const HISTORY: TimeDelta = TimeDelta::minutes(1);

/// When and where an event stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrence {
    pub(super) stream: StreamId,
    pub(super) version: Version,
    pub(super) occurred_at: DateTime<Utc>,
    pub(super) recorded_at: DateTime<Utc>,
}

impl Occurrence {
    /// A due time that was past already when history was recorded does not fire. One that passes while a command is
    /// executed does.
    fn is_history_of(&self, due_at: DateTime<Utc>) -> bool {
        due_at <= self.recorded_at && self.recorded_at - self.occurred_at > HISTORY
    }
}

/// The timer of a ticket after an event, given the one before it.
pub(super) fn after(before: Option<&TimerRow>, ticket: &Ticket, event: &Event, at: &Occurrence) -> Option<TimerRow> {
    let (kind, due_at, set_by) = in_force(before, ticket, event, at.version)?;
    let due_at = in_microseconds(due_at);
    if set_by != at.version {
        return before.filter(|before| before.set_by == set_by.0).cloned();
    }
    let timer = TimerRow {
        stream_id: at.stream.0,
        kind: kind.to_owned(),
        stream_type: STREAM_TYPE.as_str().to_owned(),
        set_by: set_by.0,
        due_at,
    };
    (!at.is_history_of(due_at)).then_some(timer)
}

/// As the database keeps it, and never before it is due.
fn in_microseconds(time: DateTime<Utc>) -> DateTime<Utc> {
    let rest = i64::from(time.timestamp_subsec_nanos() % 1_000);
    if rest == 0 { time } else { time + TimeDelta::nanoseconds(1_000 - rest) }
}

/// The timer that is in force: its kind, when it is due, and the version that set it.
fn in_force(
    before: Option<&TimerRow>,
    ticket: &Ticket,
    event: &Event,
    version: Version,
) -> Option<(&'static str, DateTime<Utc>, Version)> {
    let (kind, due_at) = match ticket.status {
        Status::OnHold => (WAKE, ticket.wake_at?),
        Status::Resolved => (CLOSE, ticket.reopen_until?),
        Status::New | Status::Open | Status::Pending | Status::Closed => return None,
    };
    let sets = matches!(event, Event::TicketPutOnHold { .. } | Event::TicketResolved { .. });
    let set_by = if sets { version } else { Version(before?.set_by) };
    Some((kind, due_at, set_by))
}

/// A ticket with blanks for everything that its timer does not depend on, so that `evolve` alone decides what an event
/// means. Without a timer its status does not matter: only events that name a time set one.
pub(super) fn outline(timer: Option<&TimerRow>, stamp: &Stamp) -> Option<Ticket> {
    let opened = TicketOpened {
        number: TicketNumber::try_from(1).ok()?,
        requester: None,
        channel: Channel::default(),
        subject: String::new(),
        body: String::new(),
        priority: ticket_aggregate::Priority::default(),
        category: None,
        team: None,
        tags: std::collections::BTreeSet::new(),
        source_id: None,
        follow_up_of: None,
    };
    let stamp = Stamp { version: StreamVersion(1), ..*stamp };
    let mut ticket = Ticket::evolve(None, &Event::TicketOpened(Box::new(opened)), &stamp)?;
    if let Some(timer) = timer {
        if timer.kind == WAKE {
            (ticket.status, ticket.wake_at) = (Status::OnHold, Some(timer.due_at));
        } else {
            (ticket.status, ticket.reopen_until) = (Status::Resolved, Some(timer.due_at));
        }
    }
    Some(ticket)
}
