//! The filters and orders of the list of tickets.

use chrono::{DateTime, Utc};
use eventstore::{Position, Version};
use serde::Serialize;
use serde_json::json;
use shared_kernel::{AgentId, PersonId, TeamId};
use sqlx::{Postgres, QueryBuilder};
use ticket_aggregate::{Priority, Status, Tag, Ticket, TicketId};
use uuid::Uuid;

use super::columns::rank;
use super::viewer::Viewer;
use crate::generation::Generation;
use crate::ids::uuids;
use crate::tokenizer;

/// A filter by something that a ticket may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Filter<T> {
    /// Tickets that lack it: those without a team, or without an assignee.
    None,
    /// Tickets that have this one.
    Is(T),
}

/// The sort key; ties are broken by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The time of the last event that the viewer can see.
    Updated,
    /// The time of opening.
    Created,
    /// The ticket number.
    Number,
    /// The urgency.
    Priority,
}

/// Sort key and direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The sort key.
    pub order: Order,
    /// Largest first.
    pub descending: bool,
}

/// A query of the list; all filters must match.
#[derive(Clone, Debug)]
pub struct TicketQuery {
    /// Who reads.
    pub viewer: Viewer,
    /// Any of these; empty: any status.
    pub status: Vec<Status>,
    /// Any of these; empty: any priority.
    pub priority: Vec<Priority>,
    /// In this team's queue, or in no team's.
    pub team: Option<Filter<TeamId>>,
    /// Assigned to this agent, or to nobody.
    pub assignee: Option<Filter<AgentId>>,
    /// Requested by any of these (a person, and those who were merged into them); empty: by anybody or nobody.
    pub requester: Vec<PersonId>,
    /// Has this tag.
    pub tag: Option<Tag>,
    /// In this category.
    pub category: Option<String>,
    /// Opened after this time.
    pub created_after: Option<DateTime<Utc>>,
    /// Opened before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// Last updated after this time.
    pub updated_after: Option<DateTime<Utc>>,
    /// Last updated before this time.
    pub updated_before: Option<DateTime<Utc>>,
    /// Full-text search: words, `"a phrase"`, `or`, `-not`.
    pub q: Option<String>,
    /// The order of the list.
    pub sort: Sort,
    /// Page size.
    pub limit: u16,
    /// The cursor of the page; `None`: the first page.
    pub cursor: Option<String>,
}

/// A ticket in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketRow {
    /// The ticket's id.
    pub id: TicketId,
    /// The ticket's version.
    pub version: Version,
    /// The position of that version's event.
    pub position: Position,
    /// The ticket, as the viewer may see it.
    pub ticket: Ticket,
}

impl TicketQuery {
    /// Identifies the list: a cursor is bound to it. Page size and the identity of the viewer are not part of it.
    pub(crate) fn list(&self) -> String {
        json!([
            self.viewer.is_requester(),
            self.status,
            self.priority,
            self.team,
            self.assignee,
            self.requester,
            self.tag,
            self.category,
            self.created_after,
            self.created_before,
            self.updated_after,
            self.updated_before,
            self.q,
            self.order_columns().0,
            self.sort.descending,
        ])
        .to_string()
    }

    /// The columns that the list is sorted by: key and id, of the table whose index has both.
    pub(super) fn order_columns(&self) -> (&'static str, &'static str) {
        match self.sort.order {
            Order::Updated => (self.updated_column(), "u.ticket_id"),
            Order::Created => ("t.created_at", "t.id"),
            Order::Number => ("t.number", "t.id"),
            Order::Priority => ("t.priority", "t.id"),
        }
    }

    /// The time of the last update; an event that requesters can't see must not move a ticket in their list.
    fn updated_column(&self) -> &'static str {
        if self.viewer.is_requester() { "u.public_updated_at" } else { "u.updated_at" }
    }

    pub(super) fn needs_recency(&self) -> bool {
        self.sort.order == Order::Updated || self.updated_after.is_some() || self.updated_before.is_some()
    }

    /// The sort key as a number.
    pub(super) fn key_column(&self) -> String {
        let (column, _) = self.order_columns();
        match self.sort.order {
            Order::Updated | Order::Created => format!("(extract(epoch from {column}) * 1000000)::bigint"),
            Order::Number | Order::Priority => format!("{column}::bigint"),
        }
    }

    pub(super) fn push_key(&self, sql: &mut QueryBuilder<Postgres>, key: i64) {
        match self.sort.order {
            Order::Updated | Order::Created => {
                sql.push_bind(DateTime::from_timestamp_micros(key).unwrap_or_default());
            }
            Order::Number | Order::Priority => {
                sql.push_bind(key);
            }
        }
    }

    /// Adds the conditions, each with a leading `and`.
    pub(super) fn push_filters(&self, sql: &mut QueryBuilder<Postgres>, generation: Generation) {
        self.viewer.push_visibility(sql);
        if !self.status.is_empty() {
            sql.push(" and t.status = any(")
                .push_bind(self.status.iter().map(|s| s.as_str()).collect::<Vec<_>>())
                .push(")");
        }
        if !self.priority.is_empty() {
            sql.push(" and t.priority = any(")
                .push_bind(self.priority.iter().map(|p| rank(*p)).collect::<Vec<_>>())
                .push(")");
        }
        push_reference(sql, "t.assignee", self.assignee);
        push_reference(sql, "t.team", self.team);
        if !self.requester.is_empty() {
            sql.push(" and t.requester = any(").push_bind(uuids(&self.requester)).push(")");
        }
        if let Some(category) = &self.category {
            sql.push(" and t.category = ").push_bind(category.clone());
        }
        if let Some(tag) = &self.tag {
            sql.push(" and t.tags @> ").push_bind(vec![tag.as_str().to_owned()]);
        }
        if self.viewer.is_requester() && (self.team.is_some() || self.category.is_some() || self.tag.is_some()) {
            // the public view has none of these: a match would reveal the value
            sql.push(" and false");
        }
        let updated = self.updated_column();
        let times = [
            ("t.created_at", ">", self.created_after),
            ("t.created_at", "<", self.created_before),
            (updated, ">", self.updated_after),
            (updated, "<", self.updated_before),
        ];
        for (column, comparison, time) in times {
            if let Some(time) = time {
                sql.push(format!(" and {column} {comparison} ")).push_bind(time);
            }
        }
        self.push_search(sql, generation);
    }

    fn push_search(&self, sql: &mut QueryBuilder<Postgres>, generation: Generation) {
        let Some(q) = &self.q else { return };
        sql.push(" and (false");
        for group in tokenizer::parse_search(q) {
            sql.push(" or (true");
            for operand in group {
                sql.push(if operand.negated { " and not " } else { " and " });
                self.push_words(sql, generation, operand.words);
            }
            sql.push(")");
        }
        sql.push(")");
    }

    /// A condition: a text of the ticket contains these words.
    fn push_words(&self, sql: &mut QueryBuilder<Postgres>, generation: Generation, words: String) {
        let table = format!("read_models.tickets_words_{generation} w");
        if self.viewer.is_requester() {
            // they have few tickets, so the index over all words would not help
            sql.push(format!("exists (select from {table} where w.ticket_id = t.id and w.public and w.words @@ "));
        } else {
            sql.push(format!("t.id in (select w.ticket_id from {table} where w.words @@ "));
        }
        sql.push_bind(words).push("::tsquery)");
    }
}

/// Adds a condition on a column that may be null.
fn push_reference<T: Into<Uuid>>(sql: &mut QueryBuilder<Postgres>, column: &str, filter: Option<Filter<T>>) {
    match filter {
        None => {}
        Some(Filter::None) => {
            sql.push(" and ").push(column).push(" is null");
        }
        Some(Filter::Is(id)) => {
            sql.push(" and ").push(column).push(" = ").push_bind(id.into());
        }
    }
}
