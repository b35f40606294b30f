//! What events make of the rows of `tickets`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use eventstore::{Position, StreamId};
use ticket_aggregate::{Priority, Requester, Ticket, evolve};
use uuid::Uuid;

use crate::memory::Memory;
use crate::projection::{ApplyError, Fact};
use crate::tickets::words;

/// What a batch changes.
#[derive(Debug, Default)]
pub(super) struct Changed(BTreeMap<StreamId, Change>);

#[derive(Debug)]
struct Change {
    /// Whether it was opened in this batch: it has no rows yet.
    opened: bool,
    position: Position,
    words: EntryWords,
}

/// The words of a ticket's texts, by entry, and whether the requester may find it by them.
pub(crate) type EntryWords = BTreeMap<i64, (bool, words::Vector)>;

impl Changed {
    /// The ticket after an event.
    pub(super) fn fold(&mut self, known: Option<Ticket>, fact: &Fact) -> Result<Ticket, ApplyError> {
        if let Some(known) = &known {
            fact.follows(known.version)?;
        }
        let opened = known.is_none();
        let ticket = evolve(known, &fact.event, &fact.stamp());
        let ticket = ticket.ok_or_else(|| fact.unfit("the ticket was never opened"))?;
        let new = Change { opened, position: fact.position, words: EntryWords::new() };
        let change = self.0.entry(fact.stream).or_insert(new);
        change.position = fact.position;
        for said in words::said(&fact.event, fact.version.0) {
            change.words.insert(said.entry, (said.public, words::vector(said.text)));
        }
        Ok(ticket)
    }

    /// The rows as columns: of tickets that have none yet, and of those that have.
    pub(super) fn columns(&self, memory: &Memory<Ticket>) -> (Columns, Columns) {
        let (mut opened, mut changed) = (Columns::default(), Columns::default());
        for (stream, change) in &self.0 {
            if let Some(ticket) = memory.get(*stream) {
                let columns = if change.opened { &mut opened } else { &mut changed };
                columns.push(*stream, change.position, ticket);
            }
        }
        (opened, changed)
    }

    /// What was written, as columns: texts that are new, and subjects that take the place of others.
    pub(super) fn words(self) -> (Words, Words) {
        let (mut new, mut changed) = (Words::default(), Words::default());
        for (stream, mut change) in self.0 {
            if !change.opened
                && let Some(subject) = change.words.remove(&words::SUBJECT)
            {
                changed.push(stream, EntryWords::from([(words::SUBJECT, subject)]));
            }
            new.push(stream, change.words);
        }
        (new, changed)
    }
}

/// Rows of the tickets, a vector each column.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) id: Vec<Uuid>,
    pub(crate) number: Vec<i64>,
    pub(crate) created_at: Vec<DateTime<Utc>>,
    pub(crate) requester: Vec<Option<String>>,
    pub(crate) priority: Vec<i16>,
    pub(crate) team: Vec<Option<String>>,
    pub(crate) category: Vec<Option<String>>,
    pub(crate) assignee: Vec<Option<String>>,
    /// Literals of arrays: an array of arrays can't be taken apart.
    pub(crate) followers: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) status: Vec<&'static str>,
    pub(crate) version: Vec<i64>,
    pub(crate) position: Vec<i64>,
    pub(crate) ticket: Vec<String>,
    pub(crate) updated_at: Vec<DateTime<Utc>>,
    pub(crate) public_updated_at: Vec<DateTime<Utc>>,
}

impl Columns {
    pub(crate) fn push(&mut self, stream: StreamId, position: Position, ticket: &Ticket) {
        self.id.push(stream.0);
        self.number.push(ticket.number.get());
        self.created_at.push(ticket.opened_at);
        self.requester.push(ticket.requester.as_ref().map(|requester: &Requester| requester.email().to_owned()));
        self.priority.push(rank(ticket.priority));
        self.team.push(ticket.team.as_ref().map(ToString::to_string));
        self.category.push(ticket.category.clone());
        self.assignee.push(ticket.assignee.as_ref().map(ToString::to_string));
        self.followers.push(array(ticket.followers.iter().map(String::as_str)));
        self.tags.push(array(ticket.tags.iter().map(ticket_aggregate::Tag::as_str)));
        self.status.push(ticket.status.as_str());
        self.version.push(ticket.version.0.cast_signed());
        self.position.push(position.0);
        // all of its keys are texts, so it has a JSON form
        self.ticket.push(serde_json::to_string(ticket).unwrap_or_default());
        self.updated_at.push(ticket.updated_at);
        self.public_updated_at.push(ticket.public_updated_at);
    }
}

/// The words of texts, a vector each column.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) of: Vec<Uuid>,
    pub(crate) entry: Vec<i64>,
    pub(crate) public: Vec<bool>,
    pub(crate) vectors: Vec<words::Vector>,
}

impl Words {
    pub(crate) fn push(&mut self, ticket: StreamId, words: EntryWords) {
        for (entry, (public, vector)) in words {
            self.of.push(ticket.0);
            self.entry.push(entry);
            self.public.push(public);
            self.vectors.push(vector);
        }
    }
}

/// Priorities in their order.
pub(crate) fn rank(priority: Priority) -> i16 {
    let place = Priority::ALL.iter().position(|p| *p == priority);
    place.and_then(|place| i16::try_from(place).ok()).unwrap_or_default()
}

/// The literal of a `text[]`.
fn array<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut literal = String::from("{");
    for text in texts {
        literal.push_str(if literal.len() > 1 { ",\"" } else { "\"" });
        for c in text.chars() {
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
