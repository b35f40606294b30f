//! What earlier runs recorded of a case.
//!
//! Rows are imported in the file's order, so every row up to the highest recorded one was handled before. If one of them is
//! not recorded, it was refused or had no effect. The rules are pure: decided again on the state at that row, the result is
//! the same.

use shared_kernel::{Aggregate, Stamp, StreamVersion};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use desk::{AsOf, Desk, DeskError, Entry, VersionedTicket};
use ticket_aggregate::{Command, Context, MessageId, Ticket, TicketId};

use super::SOURCE_KIND;

/// The history of one ticket, by row.
pub(super) struct Past {
    pub(super) ticket: TicketId,
    entries: Vec<(Option<u64>, Entry)>,
    rows: BTreeSet<u64>,
}

/// The decision for a row that is not recorded.
pub(super) enum Verdict {
    WithoutEffect,
    Refused(String),
    /// It would change the ticket, but later rows are recorded already.
    TooLate,
}

impl Past {
    /// Reads the history and the current ticket.
    pub(super) async fn read(
        desk: &Desk,
        ticket: TicketId,
        source: &str,
    ) -> Result<(Self, Option<Arc<VersionedTicket>>), DeskError> {
        let (folded, entries) = match desk.history(ticket, AsOf::Now).await {
            Ok(history) => (Some(history.record), history.entries),
            Err(DeskError::NotFound) => (None, Vec::new()),
            Err(error) => return Err(error),
        };
        let entries: Vec<_> = entries.into_iter().map(|entry| (row_of(&entry, source), entry)).collect();
        let rows = entries.iter().filter_map(|(row, _)| *row).collect();
        Ok((Self { ticket, entries, rows }, folded))
    }

    /// The highest recorded row; zero: none.
    pub(super) fn highest(&self) -> u64 {
        self.rows.last().copied().unwrap_or_default()
    }

    pub(super) fn has(&self, row: u64) -> bool {
        self.rows.contains(&row)
    }

    /// The ticket as it was before a row.
    pub(super) fn before(&self, row: u64) -> Option<Ticket> {
        let earlier = self.entries.iter().rposition(|(of, _)| of.is_some_and(|of| of < row));
        let mut state: Option<Ticket> = None;
        for (_, entry) in self.entries.iter().take(earlier.map_or(0, |last| last + 1)) {
            let version = StreamVersion(entry.version.0);
            state = Ticket::evolve(state, &entry.event, &Stamp { occurred_at: entry.occurred_at, version });
        }
        state
    }
}

/// Decides commands one after the other, as the desk does, without recording anything.
pub(super) fn judge(mut state: Option<Ticket>, commands: &[Command], context: &Context) -> Verdict {
    let mut changes = false;
    for command in commands {
        match Ticket::decide(state.as_ref(), command, context) {
            Err(refusal) => return Verdict::Refused(refusal.to_string()),
            Ok(events) => {
                changes |= !events.is_empty();
                for event in events {
                    let version = state.as_ref().map_or(0, |ticket| ticket.version.0) + 1;
                    let stamp = Stamp { occurred_at: context.now, version: StreamVersion(version) };
                    state = Ticket::evolve(state, &event, &stamp);
                }
            }
        }
    }
    if changes { Verdict::TooLate } else { Verdict::WithoutEffect }
}

/// The context for [`judge`]. Teams and blocking tickets at that time are unknown, and left out.
pub(super) fn context(ticket: TicketId, actor: shared_kernel::Actor, now: chrono::DateTime<chrono::Utc>) -> Context {
    Context {
        now,
        actor,
        ticket_id: ticket,
        message_id: MessageId(ticket.0),
        reopen_window: chrono::TimeDelta::zero(),
        reopen_until: None,
        identities: BTreeMap::new(),
        assignee_teams: None,
        assignee_available: true,
        open_blockers: Vec::new(),
    }
}

fn row_of(entry: &Entry, source: &str) -> Option<u64> {
    let cause = entry.cause.as_ref()?;
    let ours = cause["kind"] == SOURCE_KIND && cause["source"] == source;
    cause["row"].as_u64().filter(|_| ours)
}
