//! What events make of the rows of `tickets`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use eventstore::{Position, StreamId};
use ticket_aggregate::{Event, Priority, Requester, Ticket, evolve};
use uuid::Uuid;

use crate::memory::Memory;
use crate::projection::{ApplyError, Fact};

/// How many bytes of what is written in a ticket can be found: PostgreSQL keeps no more than 1 MiB of words.
const FOUND_BYTES: usize = 256 * 1024;

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
    subject: bool,
    texts: Vec<(Audience, String)>,
}

/// The weight of a word: who may find the ticket by it.
#[derive(Clone, Copy, Debug)]
enum Audience {
    All,
    Staff,
}

impl Audience {
    fn weight(self) -> &'static str {
        match self {
            Self::All => "A",
            Self::Staff => "D",
        }
    }
}

impl Changes {
    /// The ticket after an event.
    pub(super) fn fold(&mut self, known: Option<Folded>, fact: &Fact) -> Result<Folded, ApplyError> {
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
        let nothing = Change { position: fact.position, subject: false, texts: Vec::new() };
        let change = self.0.entry(fact.stream).or_insert(nothing);
        change.position = fact.position;
        match &fact.event {
            Event::TicketOpened(opened) => {
                change.subject = true;
                change.say(Audience::All, &opened.body, &mut words_bytes);
            }
            Event::SubjectChanged { .. } => change.subject = true,
            Event::PublicReplyAdded { body, .. } | Event::RequesterReplied { body, .. } => {
                change.say(Audience::All, body, &mut words_bytes);
            }
            Event::InternalNoteAdded { body, .. } => change.say(Audience::Staff, body, &mut words_bytes),
            _ => {}
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
            words.tickets.push(stream.0);
            let subject = memory.get(*stream).filter(|_| change.subject).map(|folded| folded.full.subject.clone());
            words.subjects.push(subject);
            for (audience, text) in &change.texts {
                words.of.push(stream.0);
                words.weights.push(audience.weight());
                words.texts.push(text.clone());
            }
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
    /// New subjects; none where it stays.
    pub(crate) subjects: Vec<Option<String>>,
    /// Whose text each is, in order.
    pub(crate) of: Vec<Uuid>,
    pub(crate) weights: Vec<&'static str>,
    pub(crate) texts: Vec<String>,
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
    fn say(&mut self, audience: Audience, text: &str, words_bytes: &mut usize) {
        let room = FOUND_BYTES.saturating_sub(*words_bytes);
        let end = text.floor_char_boundary(room.min(text.len()));
        if end > 0 {
            *words_bytes += end;
            self.texts.push((audience, text[..end].to_owned()));
        }
    }
}

/// A row as it is stored.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Stored {
    pub(crate) id: Uuid,
    number: i64,
    version: i64,
    position: i64,
    status: String,
    priority: i16,
    team: Option<String>,
    category: Option<String>,
    assignee: Option<String>,
    requester: Option<String>,
    followers: Vec<String>,
    tags: Vec<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    public_updated_at: DateTime<Utc>,
    pub(crate) staff_view: String,
    pub(crate) public_view: String,
}

impl Stored {
    /// The column, besides the views, that is not what the ticket says.
    pub(crate) fn differs(&self, full: &Ticket, public: &Ticket, last: Position) -> Option<String> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let same = [
            ("number", self.number == full.number.get()),
            ("version", self.version == full.version.0.cast_signed()),
            ("position", self.position == last.0),
            ("status", self.status == full.status.as_str()),
            ("priority", self.priority == rank(full.priority)),
            ("team", self.team == text(full.team.as_ref().map(ticket_aggregate::TeamId::as_str))),
            ("category", self.category == full.category),
            ("assignee", self.assignee == text(full.assignee.as_ref().map(ticket_aggregate::AgentId::as_str))),
            ("requester", self.requester == text(full.requester.as_ref().map(Requester::email))),
            ("followers", self.followers.iter().eq(&full.followers)),
            ("tags", self.tags.iter().map(String::as_str).eq(full.tags.iter().map(ticket_aggregate::Tag::as_str))),
            ("created_at", self.created_at == full.opened_at),
            ("updated_at", self.updated_at == full.updated_at),
            ("public_updated_at", self.public_updated_at == public.updated_at),
        ];
        let wrong = same.iter().find(|(_, same)| !same);
        wrong.map(|(column, _)| format!("its {column} in the list is not what the log says"))
    }
}
