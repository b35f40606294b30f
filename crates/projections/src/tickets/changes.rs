//! The rows that a batch of events changes.

use std::collections::BTreeMap;

use eventstore::{Position, StreamId};
use ticket_aggregate::Ticket;

use super::columns::{Recencies, Recency, StoredTicket, StoredTickets, TextWords, TextsWords};
use super::texts;
use crate::cache::Cache;
use crate::fold;
use crate::read_model::{ApplyError, DecodedEvent};
use crate::tokenizer::Vector;

/// The tickets that a batch changes.
#[derive(Debug, Default)]
pub(super) struct ChangedTickets(BTreeMap<StreamId, Change>);

#[derive(Debug)]
struct Change {
    /// Whether the ticket was opened in this batch, and so has no rows yet.
    opened: bool,
    position: Position,
    words: EntryWords,
}

/// The words of a ticket's texts by entry, and whether the requester may find the ticket by them.
pub(super) type EntryWords = BTreeMap<i64, (bool, Vector)>;

impl ChangedTickets {
    /// Folds an event into its ticket, and records the change.
    pub(super) fn fold(&mut self, known: Option<Ticket>, event: &DecodedEvent) -> Result<Ticket, ApplyError> {
        if let Some(known) = &known {
            event.check_newer_than(fold::version_of(known.version))?;
        }
        let opened = known.is_none();
        let ticket = fold::apply::<Ticket>(known, event)?;
        let new = Change { opened, position: event.position, words: EntryWords::new() };
        let change = self.0.entry(event.stream).or_insert(new);
        change.position = event.position;
        change.words.extend(texts::entry_words(event.payload(), event.version.0));
        Ok(ticket)
    }

    /// The rows to insert, of tickets that were opened in this batch, and the rows to update.
    pub(super) fn tickets(&self, cache: &Cache<Ticket>) -> (TicketRows, TicketRows) {
        let (mut opened, mut changed) = (TicketRows::default(), TicketRows::default());
        for (stream, change) in &self.0 {
            if let Some(ticket) = cache.get(*stream) {
                let rows = if change.opened { &mut opened } else { &mut changed };
                rows.tickets.push(StoredTicket::of(*stream, change.position, ticket));
                rows.recency.push(Recency::of(*stream, ticket));
            }
        }
        (opened, changed)
    }

    /// The words to insert, and the subjects to update.
    pub(super) fn words(self) -> (TextsWords, TextsWords) {
        let (mut new, mut changed) = (TextsWords::default(), TextsWords::default());
        for (stream, mut change) in self.0 {
            if !change.opened
                && let Some(subject) = change.words.remove(&texts::SUBJECT)
            {
                push_words(&mut changed, stream, EntryWords::from([(texts::SUBJECT, subject)]));
            }
            push_words(&mut new, stream, change.words);
        }
        (new, changed)
    }
}

/// Rows of `tickets` and `tickets_recency`.
#[derive(Debug, Default)]
pub(super) struct TicketRows {
    pub(super) tickets: StoredTickets,
    pub(super) recency: Recencies,
}

pub(super) fn push_words(rows: &mut TextsWords, ticket: StreamId, words: EntryWords) {
    for (entry, (public, words)) in words {
        rows.push(TextWords { ticket_id: ticket.0, entry, public, words });
    }
}
