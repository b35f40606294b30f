//! What events make of the rows of `tickets`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use eventstore::{Position, StreamId};
use ticket_aggregate::{Priority, Requester, Ticket, evolve};
use uuid::Uuid;

use crate::memory::Memory;
use crate::projection::{ApplyError, Fact};
use crate::tickets::words;

/// A ticket, as staff see it and from its public events alone (docs/adr/0012).
#[derive(Clone, Debug)]
pub(crate) struct Folded {
    pub(crate) full: Ticket,
    pub(crate) public: Ticket,
}

impl Folded {
    pub(super) fn read(full: &str, public: &str) -> Result<Self, serde_json::Error> {
        Ok(Self { full: serde_json::from_str(full)?, public: serde_json::from_str(public)? })
    }
}

/// What a batch changes.
#[derive(Debug, Default)]
pub(super) struct Changed(BTreeMap<StreamId, Change>);

#[derive(Debug)]
struct Change {
    position: Position,
    words: EntryWords,
}

/// The words of a ticket's texts, by entry, and whether the requester may find it by them.
pub(crate) type EntryWords = BTreeMap<i64, (bool, words::Vector)>;

impl Changed {
    /// The ticket after an event.
    pub(super) fn fold(&mut self, known: Option<Folded>, fact: &Fact) -> Result<Folded, ApplyError> {
        let (full, public) = known.map(|known| (known.full, known.public)).unzip();
        if let Some(full) = &full {
            fact.follows(full.version)?;
        }
        let stamp = fact.stamp();
        let public = match fact.event.public_view() {
            Some(shown) => evolve(public, &shown, &stamp),
            None => public,
        };
        let folded = evolve(full, &fact.event, &stamp).zip(public);
        let (full, public) = folded.ok_or_else(|| fact.unfit("the ticket was never opened"))?;
        let change = self.0.entry(fact.stream).or_insert(Change { position: fact.position, words: EntryWords::new() });
        change.position = fact.position;
        for said in words::said(&fact.event, fact.version.0) {
            change.words.insert(said.entry, (said.public, words::vector(said.text)));
        }
        Ok(Folded { full, public })
    }

    /// The rows as columns.
    pub(super) fn columns(&self, memory: &Memory<Folded>) -> Columns {
        let mut columns = Columns::default();
        for (stream, change) in &self.0 {
            if let Some(folded) = memory.get(*stream) {
                columns.push(*stream, change.position, folded);
            }
        }
        columns
    }

    /// What was written, as columns.
    pub(super) fn words(self) -> Words {
        let mut words = Words::default();
        for (stream, change) in self.0 {
            words.push(stream, change.words);
        }
        words
    }
}

/// Rows of the tickets, a vector each column.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) id: Vec<Uuid>,
    pub(crate) number: Vec<i64>,
    pub(crate) version: Vec<i64>,
    pub(crate) position: Vec<i64>,
    pub(crate) status: Vec<&'static str>,
    pub(crate) priority: Vec<i16>,
    pub(crate) team: Vec<Option<String>>,
    pub(crate) category: Vec<Option<String>>,
    pub(crate) assignee: Vec<Option<String>>,
    pub(crate) requester: Vec<Option<String>>,
    /// Literals of arrays: an array of arrays can't be taken apart.
    pub(crate) followers: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) created_at: Vec<DateTime<Utc>>,
    pub(crate) updated_at: Vec<DateTime<Utc>>,
    pub(crate) public_updated_at: Vec<DateTime<Utc>>,
    pub(crate) staff_view: Vec<String>,
    pub(crate) public_view: Vec<String>,
}

impl Columns {
    pub(crate) fn push(&mut self, stream: StreamId, position: Position, folded: &Folded) {
        let (full, public) = (&folded.full, &folded.public);
        self.id.push(stream.0);
        self.number.push(full.number.get());
        self.version.push(full.version.0.cast_signed());
        self.position.push(position.0);
        self.status.push(full.status.as_str());
        self.priority.push(rank(full.priority));
        self.team.push(full.team.as_ref().map(ToString::to_string));
        self.category.push(full.category.clone());
        self.assignee.push(full.assignee.as_ref().map(ToString::to_string));
        self.requester.push(full.requester.as_ref().map(|requester: &Requester| requester.email().to_owned()));
        self.followers.push(array(full.followers.iter().map(String::as_str)));
        self.tags.push(array(full.tags.iter().map(ticket_aggregate::Tag::as_str)));
        self.created_at.push(full.opened_at);
        self.updated_at.push(full.updated_at);
        self.public_updated_at.push(public.updated_at);
        self.staff_view.push(json(full));
        self.public_view.push(json(public));
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

fn json(ticket: &Ticket) -> String {
    // all of its keys are texts, so it has a JSON form
    serde_json::to_string(ticket).unwrap_or_default()
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
