//! The timer of a ticket.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use eventstore::{StreamId, Version};
use shared_kernel::{Aggregate, Personal, Stamp, StreamVersion};
use ticket_aggregate::{Channel, DueKind, Event, Opening, Priority, Status, Ticket, TicketNumber, TicketOpened};

use super::columns::TimerRow;

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
pub(super) fn after(before: Option<&TimerRow>, ticket: &Ticket, at: &Occurrence) -> Option<TimerRow> {
    let (kind, due_at, StreamVersion(set_by)) = ticket.due()?;
    if set_by != at.version.0 {
        return before.filter(|before| before.set_by == set_by).cloned();
    }
    let due_at = in_microseconds(due_at);
    let (kind, stream_type) = (kind.as_str().to_owned(), Ticket::TYPE.to_owned());
    let timer = TimerRow { stream_id: at.stream.0, kind, stream_type, set_by, due_at };
    (!at.is_history_of(due_at)).then_some(timer)
}

/// As the database keeps it, and never before it is due.
fn in_microseconds(time: DateTime<Utc>) -> DateTime<Utc> {
    let rest = i64::from(time.timestamp_subsec_nanos() % 1_000);
    if rest == 0 { time } else { time + TimeDelta::nanoseconds(1_000 - rest) }
}

/// A ticket with blanks for everything that its timer does not depend on, so that `evolve` alone decides what an event
/// means. Without a timer its status does not matter: only events that name a time set one. The error says why the row
/// can't be read.
pub(super) fn outline(timer: Option<&TimerRow>, stamp: &Stamp) -> Result<Option<Ticket>, String> {
    let Ok(number) = TicketNumber::try_from(1) else { return Ok(None) };
    let opened = TicketOpened {
        number,
        requester: None,
        channel: Channel::default(),
        personal: Personal::new(None, Opening { subject: String::new(), body: String::new() }),
        priority: Priority::default(),
        category: None,
        team: None,
        tags: BTreeSet::new(),
        source_id: None,
        follow_up_of: None,
    };
    let opened = Event::TicketOpened(Box::new(opened));
    let mut ticket = Ticket::evolve(None, &opened, &Stamp { version: StreamVersion(1), ..*stamp });
    if let (Some(ticket), Some(timer)) = (&mut ticket, timer) {
        let kind = timer.kind.parse().map_err(|_| format!("the timer {:?} of {}", timer.kind, timer.stream_id))?;
        match kind {
            DueKind::Wake => (ticket.status, ticket.wake_at) = (Status::OnHold, Some(timer.due_at)),
            DueKind::Close => (ticket.status, ticket.reopen_until) = (Status::Resolved, Some(timer.due_at)),
        }
        ticket.timer_set_by = Some(StreamVersion(timer.set_by));
    }
    Ok(ticket)
}
