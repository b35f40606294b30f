//! What events make of the rows of `tickets`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use eventstore::{Position, StreamId};
use ticket_aggregate::{Priority, Requester, Ticket, evolve};
use uuid::Uuid;

use crate::memory::Memory;
use crate::projection::{ApplyError, Fact};
use crate::tickets::words::{self, Audience, Vector};

/// A ticket, as staff see it and from its public events alone (docs/adr/0012).
#[derive(Clone, Debug)]
pub(crate) struct Folded {
    pub(crate) full: Ticket,
    pub(crate) public: Ticket,
    /// How many bytes of its texts are among its words.
    words_bytes: usize,
}

impl Folded {
    pub(super) fn read(full: &str, public: &str, words_bytes: i32) -> Result<Self, serde_json::Error> {
        let words_bytes = usize::try_from(words_bytes).unwrap_or_default();
        Ok(Self { full: serde_json::from_str(full)?, public: serde_json::from_str(public)?, words_bytes })
    }
}

/// What a batch changes.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<StreamId, Change>);

#[derive(Debug)]
struct Change {
    position: Position,
    /// Nothing of it was there before.
    new: bool,
    subject: bool,
    texts: Vec<(Audience, String)>,
}

impl Changes {
    /// The ticket after an event.
    pub(super) fn fold(&mut self, known: Option<Folded>, fact: &Fact) -> Result<Folded, ApplyError> {
        let new = known.is_none();
        let (full, public, mut words_bytes) = match known {
            Some(known) => (Some(known.full), Some(known.public), known.words_bytes),
            None => (None, None, 0),
        };
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
        let nothing = Change { position: fact.position, new, subject: false, texts: Vec::new() };
        let change = self.0.entry(fact.stream).or_insert(nothing);
        change.position = fact.position;
        change.subject |= words::names(&fact.event);
        if let Some((audience, text)) = words::said(&fact.event) {
            change.texts.push((audience, words::found(text, &mut words_bytes).to_owned()));
        }
        Ok(Folded { full, public, words_bytes })
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

    /// What was written, and new subjects, as columns.
    pub(super) fn words(&self, memory: &Memory<Folded>) -> Words {
        let mut words = Words::default();
        for (stream, change) in self.0.iter().filter(|(_, change)| change.subject || !change.texts.is_empty()) {
            let folded = memory.get(*stream).filter(|_| change.subject);
            words.tickets.push(stream.0);
            words.subjects.push(folded.map(|folded| Vector::of(Audience::All, &folded.full.subject).literal()));
            let together = change.new.then(|| change.together()).filter(Vector::is_short);
            if together.is_none() {
                for (audience, text) in &change.texts {
                    words.of.push(stream.0);
                    words.each.push(Vector::of(*audience, text).literal());
                }
            }
            words.together.push(together.map(|vector| vector.literal()));
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
    pub(crate) words_bytes: Vec<i32>,
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
        self.words_bytes.push(i32::try_from(folded.words_bytes).unwrap_or(i32::MAX));
        self.staff_view.push(json(full));
        self.public_view.push(json(public));
    }
}

/// What was written, a vector each column.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) tickets: Vec<Uuid>,
    /// The words of new subjects; none where it stays.
    pub(crate) subjects: Vec<Option<String>>,
    /// The words of all texts of new tickets that have few.
    pub(crate) together: Vec<Option<String>>,
    /// Of all others: whose text each is, in order.
    pub(crate) of: Vec<Uuid>,
    /// Its words.
    pub(crate) each: Vec<String>,
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

impl Change {
    fn together(&self) -> Vector<'_> {
        let mut vector = Vector::default();
        for (audience, text) in &self.texts {
            vector.say(*audience, text);
        }
        vector
    }
}
