//! What the audit of the list asks of its tables.

use chrono::{DateTime, Utc};
use eventstore::{Position, StreamId};
use sqlx::{AssertSqlSafe, PgConnection};
use ticket_aggregate::{Requester, Ticket};
use uuid::Uuid;

use super::fold::{Words, rank};
use crate::generations::Generation;

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
    updated_at: Option<DateTime<Utc>>,
    public_updated_at: Option<DateTime<Utc>>,
    pub(crate) ticket: String,
}

impl Stored {
    /// The column, besides the ticket itself, that is not what it says.
    pub(crate) fn differs(&self, ticket: &Ticket, last: Position) -> Option<String> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let same = [
            ("number", self.number == ticket.number.get()),
            ("version", self.version == ticket.version.0.cast_signed()),
            ("position", self.position == last.0),
            ("status", self.status == ticket.status.as_str()),
            ("priority", self.priority == rank(ticket.priority)),
            ("team", self.team == text(ticket.team.as_ref().map(ticket_aggregate::TeamId::as_str))),
            ("category", self.category == ticket.category),
            ("assignee", self.assignee == text(ticket.assignee.as_ref().map(ticket_aggregate::AgentId::as_str))),
            ("requester", self.requester == text(ticket.requester.as_ref().map(Requester::email))),
            ("followers", self.followers.iter().eq(&ticket.followers)),
            ("tags", self.tags.iter().map(String::as_str).eq(ticket.tags.iter().map(ticket_aggregate::Tag::as_str))),
            ("created_at", self.created_at == ticket.opened_at),
            ("updated_at", self.updated_at == Some(ticket.updated_at)),
            ("public_updated_at", self.public_updated_at == Some(ticket.public_updated_at)),
        ];
        let wrong = same.iter().find(|(_, same)| !same);
        wrong.map(|(column, _)| format!("its {column} in the list is not what the log says"))
    }
}

/// A thousand rows after an id as they are stored, for the audit.
pub(crate) async fn stored(
    connection: &mut PgConnection,
    generation: Generation,
    after: Option<Uuid>,
) -> Result<Vec<Stored>, eventstore::StoreError> {
    let sql = format!(
        "select id, number, version, position, status, priority, team, category, assignee, requester, followers, tags,
                created_at, updated_at, public_updated_at, ticket
           from read_models.tickets_{generation} left join read_models.tickets_recency_{generation} on ticket_id = id
          where $1::uuid is null or id > $1 order by id limit 1000"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(after).fetch_all(connection).await?)
}

/// Those of these tickets that have other words than these, for the audit.
pub(crate) async fn other_words(
    connection: &mut PgConnection,
    generation: Generation,
    tickets: &[Uuid],
    words: Words,
) -> Result<Vec<StreamId>, eventstore::StoreError> {
    let sql = format!(
        "select distinct coalesce(said.ticket_id, w.ticket_id)
           from unnest($2::uuid[], $3::bigint[], $4::boolean[], $5::tsvector[]) said (ticket_id, entry, public, words)
           full join (select * from read_models.tickets_words_{generation} where ticket_id = any($1)) w
             on w.ticket_id = said.ticket_id and w.entry = said.entry
          where (w.public, w.words) is distinct from (said.public, said.words)
          order by 1"
    );
    let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(tickets).bind(words.of).bind(words.entry);
    let other: Vec<Uuid> = query.bind(words.public).bind(words.vectors).fetch_all(connection).await?;
    Ok(other.into_iter().map(StreamId).collect())
}
