//! The columns of `tickets`: DDL, writer, query and audit go by these lists.

use chrono::{DateTime, Utc};
use eventstore::{Position, StreamId};
use ticket_aggregate::{Priority, Ticket};
use uuid::Uuid;

use crate::table::table;
use crate::tokenizer::Vector;

table! {
    /// A ticket. Texts are compared for equality, never sorted by.
    #[derive(sqlx::FromRow)]
    "tickets": StoredTicket, StoredTickets {
        (fixed) id: Uuid = "uuid not null",
        (fixed) number: i64 = "bigint not null",
        (fixed) created_at: DateTime<Utc> = "timestamptz not null",
        requester: Option<Uuid> = "uuid",
        /// See [`rank`].
        priority: i16 = "smallint not null",
        team: Option<Uuid> = "uuid",
        category: Option<String> = r#"text collate "C""#,
        assignee: Option<Uuid> = "uuid",
        followers: Vec<Uuid> = "uuid[] not null",
        tags: Vec<String> = r#"text[] collate "C" not null"#,
        status: String = r#"text collate "C" not null"#,
        version: i64 = "bigint not null",
        /// Of the last event.
        position: i64 = "bigint not null",
        /// The fold, as JSON. A change of its form needs a new schema version.
        ticket: String = "text not null",
    }
}

table! {
    /// The times that lists are sorted by.
    #[derive(sqlx::FromRow)]
    "tickets_recency": Recency, Recencies {
        (fixed) ticket_id: Uuid = "uuid not null",
        updated_at: DateTime<Utc> = "timestamptz not null",
        public_updated_at: DateTime<Utc> = "timestamptz not null",
    }
}

table! {
    /// The words of a text.
    "tickets_words": TextWords, TextsWords {
        (fixed) ticket_id: Uuid = "uuid not null",
        (fixed) entry: i64 = "bigint not null",
        /// Whether the requester may find the ticket by them.
        (fixed) public: bool = "boolean not null",
        words: Vector = "tsvector not null",
    }
}

impl StoredTicket {
    #[expect(clippy::expect_used, reason = "a ticket has text keys only")]
    pub(super) fn of(stream: StreamId, position: Position, ticket: &Ticket) -> Self {
        Self {
            id: stream.0,
            number: ticket.number.get(),
            created_at: ticket.opened_at,
            requester: ticket.requester.map(Uuid::from),
            priority: rank(ticket.priority),
            team: ticket.team.map(Uuid::from),
            category: ticket.category.clone(),
            assignee: ticket.assignee.map(Uuid::from),
            followers: ticket.followers.iter().copied().map(Uuid::from).collect(),
            tags: ticket.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
            status: ticket.status.as_str().to_owned(),
            version: ticket.version.0,
            position: position.0,
            ticket: serde_json::to_string(ticket).expect("a ticket has text keys only"),
        }
    }
}

impl Recency {
    pub(super) fn of(stream: StreamId, ticket: &Ticket) -> Self {
        Self { ticket_id: stream.0, updated_at: ticket.updated_at, public_updated_at: ticket.public_updated_at }
    }
}

/// Reads the column `ticket`.
pub(super) fn read_ticket(id: Uuid, text: &str) -> Result<Ticket, String> {
    serde_json::from_str(text).map_err(|error| format!("the row of ticket {id}: {error}"))
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
