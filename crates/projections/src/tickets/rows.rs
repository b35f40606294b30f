//! The rows of `tickets`, as columns of vectors for `unnest`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use eventstore::{Position, StreamId};
use ticket_aggregate::{Priority, Ticket};
use uuid::Uuid;

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
    pub(super) fn columns(&self, cache: &Cache<Ticket>) -> (TicketColumns, TicketColumns) {
        let (mut opened, mut changed) = (TicketColumns::default(), TicketColumns::default());
        for (stream, change) in &self.0 {
            if let Some(ticket) = cache.get(*stream) {
                let columns = if change.opened { &mut opened } else { &mut changed };
                columns.push(*stream, change.position, ticket);
            }
        }
        (opened, changed)
    }

    /// The words to insert, and the subjects to update.
    pub(super) fn words(self) -> (WordColumns, WordColumns) {
        let (mut new, mut changed) = (WordColumns::default(), WordColumns::default());
        for (stream, mut change) in self.0 {
            if !change.opened
                && let Some(subject) = change.words.remove(&texts::SUBJECT)
            {
                changed.push(stream, EntryWords::from([(texts::SUBJECT, subject)]));
            }
            new.push(stream, change.words);
        }
        (new, changed)
    }
}

/// The text of the column `ticket`. A change of its form needs a new schema version.
#[expect(clippy::expect_used, reason = "a ticket has text keys only")]
fn write_ticket(ticket: &Ticket) -> String {
    serde_json::to_string(ticket).expect("a ticket has text keys only")
}

/// Reads the column `ticket`.
pub(super) fn read_ticket(id: Uuid, text: &str) -> Result<Ticket, String> {
    serde_json::from_str(text).map_err(|error| format!("the row of ticket {id}: {error}"))
}

/// Rows of `tickets` and `tickets_recency`, a vector per column.
#[derive(Debug, Default)]
pub(super) struct TicketColumns {
    pub(super) id: Vec<Uuid>,
    pub(super) number: Vec<i64>,
    pub(super) created_at: Vec<DateTime<Utc>>,
    pub(super) requester: Vec<Option<Uuid>>,
    pub(super) priority: Vec<i16>,
    pub(super) team: Vec<Option<Uuid>>,
    pub(super) category: Vec<Option<String>>,
    pub(super) assignee: Vec<Option<Uuid>>,
    /// Array literals: `unnest` flattens arrays of arrays.
    pub(super) followers: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) status: Vec<&'static str>,
    pub(super) version: Vec<i64>,
    pub(super) position: Vec<i64>,
    pub(super) ticket: Vec<String>,
    pub(super) updated_at: Vec<DateTime<Utc>>,
    pub(super) public_updated_at: Vec<DateTime<Utc>>,
}

impl TicketColumns {
    pub(super) fn push(&mut self, stream: StreamId, position: Position, ticket: &Ticket) {
        self.id.push(stream.0);
        self.number.push(ticket.number.get());
        self.created_at.push(ticket.opened_at);
        self.requester.push(ticket.requester.map(Uuid::from));
        self.priority.push(rank(ticket.priority));
        self.team.push(ticket.team.map(Uuid::from));
        self.category.push(ticket.category.clone());
        self.assignee.push(ticket.assignee.map(Uuid::from));
        self.followers.push(array_literal(ticket.followers.iter().map(ToString::to_string)));
        self.tags.push(array_literal(ticket.tags.iter().map(ticket_aggregate::Tag::as_str)));
        self.status.push(ticket.status.as_str());
        self.version.push(ticket.version.0);
        self.position.push(position.0);
        self.ticket.push(write_ticket(ticket));
        self.updated_at.push(ticket.updated_at);
        self.public_updated_at.push(ticket.public_updated_at);
    }
}

/// Rows of `tickets_words`, a vector per column.
#[derive(Debug, Default)]
pub(super) struct WordColumns {
    pub(super) ticket_id: Vec<Uuid>,
    pub(super) entry: Vec<i64>,
    pub(super) public: Vec<bool>,
    pub(super) words: Vec<Vector>,
}

impl WordColumns {
    pub(super) fn push(&mut self, ticket: StreamId, words: EntryWords) {
        for (entry, (public, vector)) in words {
            self.ticket_id.push(ticket.0);
            self.entry.push(entry);
            self.public.push(public);
            self.words.push(vector);
        }
    }
}

/// A priority as a number in the order of urgency.
pub(super) fn rank(priority: Priority) -> i16 {
    match priority {
        Priority::Low => 0,
        Priority::Normal => 1,
        Priority::High => 2,
        Priority::Urgent => 3,
    }
}

/// A literal of an array.
fn array_literal(texts: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut literal = String::from("{");
    for text in texts {
        literal.push_str(if literal.len() > 1 { ",\"" } else { "\"" });
        for c in text.as_ref().chars() {
            if matches!(c, '"' | '\\') {
                literal.push('\\');
            }
            literal.push(c);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}
