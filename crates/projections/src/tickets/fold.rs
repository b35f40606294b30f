//! What events make of the rows of `tickets`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use eventstore::{Position, StreamId};
use ticket_aggregate::{AgentId, Priority, Requester, Tag, TeamId, Ticket, evolve};
use uuid::Uuid;

use crate::copy;
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

    /// What is to be written.
    pub(super) fn written(self, memory: &Memory<Ticket>) -> Written {
        let mut written = Written::default();
        for (stream, mut change) in self.0 {
            if let Some(ticket) = memory.get(stream) {
                let row = Row::of(stream, change.position, ticket);
                if change.opened {
                    written.opened.push(&row);
                } else {
                    written.changed.push(row);
                }
            }
            if !change.opened
                && let Some(subject) = change.words.remove(&words::SUBJECT)
            {
                written.subjects.push(stream, EntryWords::from([(words::SUBJECT, subject)]));
            }
            for (entry, (public, vector)) in change.words {
                written.words.row(4).column(stream.0).column(entry).column(public).column(vector);
            }
        }
        written
    }
}

/// What a batch writes.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Tickets that have no rows yet.
    pub(super) opened: Opened,
    /// Tickets that have.
    pub(super) changed: Columns,
    /// Texts that are new.
    pub(super) words: copy::Rows,
    /// Subjects that take the place of others.
    pub(super) subjects: Words,
}

/// A row of a ticket, and the one of its times.
struct Row<'a> {
    id: Uuid,
    number: i64,
    created_at: DateTime<Utc>,
    requester: Option<&'a str>,
    priority: i16,
    team: Option<&'a str>,
    category: Option<&'a str>,
    assignee: Option<&'a str>,
    followers: Vec<&'a str>,
    tags: Vec<&'a str>,
    status: &'static str,
    version: i64,
    position: i64,
    ticket: String,
    updated_at: DateTime<Utc>,
    public_updated_at: DateTime<Utc>,
}

impl<'a> Row<'a> {
    fn of(stream: StreamId, position: Position, ticket: &'a Ticket) -> Self {
        Self {
            id: stream.0,
            number: ticket.number.get(),
            created_at: ticket.opened_at,
            requester: ticket.requester.as_ref().map(Requester::email),
            priority: rank(ticket.priority),
            team: ticket.team.as_ref().map(TeamId::as_str),
            category: ticket.category.as_deref(),
            assignee: ticket.assignee.as_ref().map(AgentId::as_str),
            followers: ticket.followers.iter().map(String::as_str).collect(),
            tags: ticket.tags.iter().map(Tag::as_str).collect(),
            status: ticket.status.as_str(),
            version: ticket.version.0.cast_signed(),
            position: position.0,
            // all of its keys are texts, so it has a JSON form
            ticket: serde_json::to_string(ticket).unwrap_or_default(),
            updated_at: ticket.updated_at,
            public_updated_at: ticket.public_updated_at,
        }
    }
}

/// Rows that are new.
#[derive(Debug, Default)]
pub(super) struct Opened {
    pub(super) tickets: copy::Rows,
    pub(super) recency: copy::Rows,
}

impl Opened {
    fn push(&mut self, row: &Row<'_>) {
        self.recency.row(3).column(row.id).column(row.updated_at).column(row.public_updated_at);
        self.tickets
            .row(14)
            .column(row.id)
            .column(row.number)
            .column(row.created_at)
            .column(row.requester)
            .column(row.priority)
            .column(row.team)
            .column(row.category)
            .column(row.assignee)
            .column(&row.followers)
            .column(&row.tags)
            .column(row.status)
            .column(row.version)
            .column(row.position)
            .column(&row.ticket);
    }
}

/// Rows that are there, a vector each column.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) id: Vec<Uuid>,
    pub(super) number: Vec<i64>,
    pub(super) created_at: Vec<DateTime<Utc>>,
    pub(super) requester: Vec<Option<String>>,
    pub(super) priority: Vec<i16>,
    pub(super) team: Vec<Option<String>>,
    pub(super) category: Vec<Option<String>>,
    pub(super) assignee: Vec<Option<String>>,
    /// Literals of arrays: an array of arrays can't be taken apart.
    pub(super) followers: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) status: Vec<&'static str>,
    pub(super) version: Vec<i64>,
    pub(super) position: Vec<i64>,
    pub(super) ticket: Vec<String>,
    pub(super) updated_at: Vec<DateTime<Utc>>,
    pub(super) public_updated_at: Vec<DateTime<Utc>>,
}

impl Columns {
    fn push(&mut self, row: Row<'_>) {
        let text = |text: Option<&str>| text.map(str::to_owned);
        self.id.push(row.id);
        self.number.push(row.number);
        self.created_at.push(row.created_at);
        self.requester.push(text(row.requester));
        self.priority.push(row.priority);
        self.team.push(text(row.team));
        self.category.push(text(row.category));
        self.assignee.push(text(row.assignee));
        self.followers.push(array(row.followers));
        self.tags.push(array(row.tags));
        self.status.push(row.status);
        self.version.push(row.version);
        self.position.push(row.position);
        self.ticket.push(row.ticket);
        self.updated_at.push(row.updated_at);
        self.public_updated_at.push(row.public_updated_at);
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
fn array<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
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
