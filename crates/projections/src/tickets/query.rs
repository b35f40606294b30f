//! What can be asked of the list.

use chrono::{DateTime, Utc};
use eventstore::{Position, Version};
use serde_json::json;
use sqlx::{Postgres, QueryBuilder};
use ticket_aggregate::{AgentId, Priority, Requester, Status, Tag, TeamId, Ticket, TicketId};

use super::fold::rank;
use super::words;
use crate::generations::Generation;

/// Who looks: it decides which tickets are there, and what of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seer {
    /// Sees the tickets that they asked for or follow, and of them what is public.
    Requester(String),
    /// Sees their teams' tickets, those of no team, those they have, those they follow.
    Agent {
        /// Their id.
        id: String,
        /// Their teams.
        teams: Vec<String>,
    },
    /// Sees all.
    Everything,
}

impl Seer {
    pub(crate) fn is_requester(&self) -> bool {
        matches!(self, Self::Requester(_))
    }
}

/// By what the list is ordered; tickets of the same are ordered by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// When the last event happened that the one who looks can see.
    Updated,
    /// When it was opened.
    Created,
    /// Its number.
    Number,
    /// How urgent it is.
    Priority,
}

/// By what, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub order: Order,
    /// From the most to the least.
    pub descending: bool,
}

/// A query of the list: every filter narrows it.
#[derive(Clone, Debug)]
pub struct TicketQuery {
    /// Who looks.
    pub seer: Seer,
    /// One of these, unless there is none.
    pub status: Vec<Status>,
    /// One of these, unless there is none.
    pub priority: Vec<Priority>,
    /// In this team's queue.
    pub team: Option<TeamId>,
    /// Theirs.
    pub assignee: Option<AgentId>,
    /// Asked for by this person.
    pub requester: Option<Requester>,
    /// With this tag.
    pub tag: Option<Tag>,
    /// Of this category.
    pub category: Option<String>,
    /// Opened later than this.
    pub created_after: Option<DateTime<Utc>>,
    /// Opened earlier than this.
    pub created_before: Option<DateTime<Utc>>,
    /// Changed later than this.
    pub updated_after: Option<DateTime<Utc>>,
    /// Changed earlier than this.
    pub updated_before: Option<DateTime<Utc>>,
    /// Words to be found: all of them, `"side by side"`, `or`, `-without`.
    pub q: Option<String>,
    /// The order.
    pub sort: Sort,
    /// How many at the most.
    pub limit: u16,
    /// Where to go on.
    pub cursor: Option<String>,
}

/// A ticket in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketRow {
    /// Its id.
    pub id: TicketId,
    /// How many events it has.
    pub version: Version,
    /// The position of the last of them.
    pub position: Position,
    /// The ticket, as the one who looks may see it.
    pub ticket: Ticket,
}

impl TicketQuery {
    /// All that makes the list what it is: a cursor holds for no other.
    pub(crate) fn list(&self) -> String {
        json!([
            self.seer.is_requester(),
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

    /// By what the list is ordered, and the id next to it: of the same table, as an index has them.
    pub(super) fn order_columns(&self) -> (&'static str, &'static str) {
        match self.sort.order {
            Order::Updated => (self.updated_column(), "u.ticket_id"),
            Order::Created => ("t.created_at", "t.id"),
            Order::Number => ("t.number", "t.id"),
            Order::Priority => ("t.priority", "t.id"),
        }
    }

    /// When a ticket was changed last: what they can't see must not move it either.
    fn updated_column(&self) -> &'static str {
        if self.seer.is_requester() { "u.public_updated_at" } else { "u.updated_at" }
    }

    pub(super) fn needs_recency(&self) -> bool {
        self.sort.order == Order::Updated || self.updated_after.is_some() || self.updated_before.is_some()
    }

    /// The order's value as a number.
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

    /// The conditions, each with its `and`.
    pub(super) fn narrow(&self, sql: &mut QueryBuilder<Postgres>, generation: Generation) {
        self.narrow_to_seen(sql);
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
        if self.seer.is_requester() && (self.team.is_some() || self.category.is_some() || self.tag.is_some()) {
            // public tickets have none of these: to find them by one would tell what it is
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
        self.narrow_to_words(sql, generation);
    }

    /// `desk::Caller::may_see`, in SQL.
    fn narrow_to_seen(&self, sql: &mut QueryBuilder<Postgres>) {
        match &self.seer {
            Seer::Everything => {}
            Seer::Requester(email) => {
                let email = normal(email);
                sql.push(" and (t.requester = ").push_bind(email.clone());
                sql.push(" or t.followers @> ").push_bind(vec![email]).push(")");
            }
            Seer::Agent { id, teams } => {
                sql.push(" and (t.team is null or t.team = any(").push_bind(teams.clone());
                sql.push(") or t.assignee = ").push_bind(id.clone());
                sql.push(" or t.followers @> ").push_bind(vec![normal(id)]).push(")");
            }
        }
    }

    fn narrow_to_words(&self, sql: &mut QueryBuilder<Postgres>, generation: Generation) {
        let Some(q) = &self.q else { return };
        sql.push(" and (false");
        for group in words::search(q) {
            sql.push(" or (true");
            for operand in group {
                sql.push(if operand.without { " and not " } else { " and " });
                self.push_said(sql, generation, operand.words);
            }
            sql.push(")");
        }
        sql.push(")");
    }

    /// That a text of the ticket has these words.
    fn push_said(&self, sql: &mut QueryBuilder<Postgres>, generation: Generation, words: String) {
        let table = format!("read_models.tickets_words_{generation} w");
        if self.seer.is_requester() {
            // their tickets are few: no index over all is needed
            sql.push(format!("exists (select from {table} where w.ticket_id = t.id and w.public and w.words @@ "));
        } else {
            sql.push(format!("t.id in (select w.ticket_id from {table} where w.words @@ "));
        }
        sql.push_bind(words).push("::tsquery)");
    }
}

/// The form in which followers are kept.
fn normal(follower: &str) -> String {
    Requester::parse(follower, None).map_or_else(|_| follower.trim().to_owned(), |r| r.email().to_owned())
}
