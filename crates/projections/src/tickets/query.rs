//! The filters and orders of the list of tickets.

use chrono::{DateTime, Utc};
use eventstore::{Position, Version};
use serde_json::json;
use shared_kernel::{AgentId, Requester, TeamId};
use sqlx::{Postgres, QueryBuilder};
use ticket_aggregate::{Priority, Status, Tag, Ticket, TicketId};

use super::rows::rank;
use super::tokenizer;
use crate::generation::Generation;

/// Who reads: decides which tickets are visible, and what of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Sees the public view of tickets that they requested or follow.
    Requester(String),
    /// Sees tickets of their teams and of no team, and those assigned to them or followed by them.
    Agent {
        /// The id of the agent.
        id: String,
        /// The teams of the agent.
        teams: Vec<String>,
    },
    /// Sees every ticket.
    Everything,
}

impl Viewer {
    pub(crate) fn is_requester(&self) -> bool {
        matches!(self, Self::Requester(_))
    }
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
    /// Assigned to this team.
    pub team: Option<TeamId>,
    /// Assigned to this agent.
    pub assignee: Option<AgentId>,
    /// Requested by this person.
    pub requester: Option<Requester>,
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
        self.push_visibility(sql);
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
        let texts = [
            ("t.assignee = ", self.assignee.as_ref().map(|a| a.as_str().to_owned())),
            ("t.requester = ", self.requester.as_ref().map(|r| r.email().to_owned())),
            ("t.team = ", self.team.as_ref().map(|t| t.as_str().to_owned())),
            ("t.category = ", self.category.clone()),
        ];
        for (condition, value) in texts {
            if let Some(value) = value {
                sql.push(" and ").push(condition).push_bind(value);
            }
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

    /// `Ticket::is_visible_to`, in SQL.
    fn push_visibility(&self, sql: &mut QueryBuilder<Postgres>) {
        match &self.viewer {
            Viewer::Everything => {}
            Viewer::Requester(email) => {
                let email = normal_follower(email);
                sql.push(" and (t.requester = ").push_bind(email.clone());
                sql.push(" or t.followers @> ").push_bind(vec![email]).push(")");
            }
            Viewer::Agent { id, teams } => {
                sql.push(" and (t.team is null or t.team = any(").push_bind(teams.clone());
                sql.push(") or t.assignee = ").push_bind(id.clone());
                sql.push(" or t.followers @> ").push_bind(vec![normal_follower(id)]).push(")");
            }
        }
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

/// A follower as it is stored.
fn normal_follower(follower: &str) -> String {
    Requester::parse(follower, None).map_or_else(|_| follower.trim().to_owned(), |r| r.email().to_owned())
}
