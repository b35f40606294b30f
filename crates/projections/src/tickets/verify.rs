//! The audit of `tickets`. It folds the log by itself, so that errors of the writer show as well as changed rows. Rows and
//! streams are read side by side, by id: memory is bounded by a page of rows.

use std::pin::pin;

use chrono::{DateTime, Utc};
use eventstore::{Position, RecordedEvent, StoreError, StreamId};
use futures_util::StreamExt;
use shared_kernel::Aggregate;
use sqlx::{AssertSqlSafe, PgConnection};
use ticket_aggregate::Ticket;
use uuid::Uuid;

use super::NAME;
use super::rows::{EntryWords, WordColumns, rank, read_ticket};
use super::texts::entry_words;
use crate::fold;
use crate::generation::Generation;
use crate::verification::{Difference, Verification, fold_streams};

/// A ticket according to the log.
#[derive(Debug, Default)]
struct ExpectedTicket {
    ticket: Option<Ticket>,
    last: Position,
    words: EntryWords,
}

impl ExpectedTicket {
    fn apply(&mut self, recorded: &RecordedEvent) {
        if recorded.stream_type.as_str() != Ticket::TYPE {
            return;
        }
        // the audit of the log reports what can't be decoded
        let Ok(event) = fold::decode::<Ticket>(recorded) else { return };
        self.words.extend(entry_words(&event, recorded.version.0));
        self.ticket = fold::apply_recorded::<Ticket>(self.ticket.take(), recorded, &event);
        self.last = recorded.position;
    }
}

pub(super) async fn differences(verification: &mut Verification<'_>) -> Result<Vec<Difference>, StoreError> {
    let Verification { store, connection, generation, scope, progress } = verification;
    let mut differences = Vec::new();
    let mut differ = |ticket: StreamId, detail: String| {
        differences.push(Difference { projection: NAME, stream: Some(ticket), detail });
    };
    let missing = || "the log has this ticket, the list has not".to_owned();
    // streams that are no tickets have no rows
    let folded = fold_streams(store, scope, *progress, ExpectedTicket::apply)
        .filter(|folded| std::future::ready(folded.as_ref().map_or(true, |(_, folded)| folded.ticket.is_some())));
    let mut expected = pin!(folded);
    let mut next = expected.next().await.transpose()?;
    let mut after = None;
    loop {
        let rows = stored_rows(connection, *generation, after).await?;
        let Some(last) = rows.last().map(|row| row.id) else { break };
        after = Some(last);
        let (mut sound, mut words) = (Vec::new(), WordColumns::default());
        for row in rows {
            while let Some((ticket, _)) = next.as_ref().filter(|(ticket, _)| ticket.0 < row.id) {
                differ(*ticket, missing());
                next = expected.next().await.transpose()?;
            }
            match next.take() {
                Some((ticket, folded)) if ticket.0 == row.id => {
                    if let Some(detail) = compare(&row, &folded) {
                        differ(ticket, detail);
                    } else {
                        sound.push(ticket.0);
                        words.push(ticket, folded.words);
                    }
                    next = expected.next().await.transpose()?;
                }
                other => {
                    differ(StreamId(row.id), "the list has this ticket, the log has not".to_owned());
                    next = other;
                }
            }
        }
        for ticket in differing_words(connection, *generation, &sound, words).await? {
            differ(ticket, "the words that it is found by differ from the log".to_owned());
        }
    }
    while let Some((ticket, _)) = next {
        differ(ticket, missing());
        next = expected.next().await.transpose()?;
    }
    Ok(differences)
}

/// Describes how a row differs from the log; `None` if it does not.
fn compare(row: &StoredRow, expected: &ExpectedTicket) -> Option<String> {
    let ticket = expected.ticket.as_ref()?;
    match read_ticket(row.id, &row.ticket) {
        Ok(stored) if stored == *ticket => row.differing_column(ticket, expected.last),
        Ok(stored) => Some(format!(
            "the ticket in the list (version {}) differs from the log (version {})",
            stored.version, ticket.version
        )),
        Err(error) => Some(format!("can't be read: {error}")),
    }
}

/// A stored row.
#[derive(Debug, sqlx::FromRow)]
struct StoredRow {
    id: Uuid,
    number: i64,
    version: i64,
    position: i64,
    status: String,
    priority: i16,
    team: Option<Uuid>,
    category: Option<String>,
    assignee: Option<Uuid>,
    requester: Option<Uuid>,
    followers: Vec<Uuid>,
    tags: Vec<String>,
    created_at: DateTime<Utc>,
    updated_at: Option<DateTime<Utc>>,
    public_updated_at: Option<DateTime<Utc>>,
    ticket: String,
}

impl StoredRow {
    /// Describes the first column, besides the ticket itself, that differs from the ticket.
    fn differing_column(&self, ticket: &Ticket, last: Position) -> Option<String> {
        let same = [
            ("number", self.number == ticket.number.get()),
            ("version", self.version == ticket.version.0),
            ("position", self.position == last.0),
            ("status", self.status == ticket.status.as_str()),
            ("priority", self.priority == rank(ticket.priority)),
            ("team", self.team == ticket.team.map(Uuid::from)),
            ("category", self.category == ticket.category),
            ("assignee", self.assignee == ticket.assignee.map(Uuid::from)),
            ("requester", self.requester == ticket.requester.map(Uuid::from)),
            ("followers", self.followers.iter().copied().eq(ticket.followers.iter().map(|person| person.0))),
            ("tags", self.tags.iter().map(String::as_str).eq(ticket.tags.iter().map(ticket_aggregate::Tag::as_str))),
            ("created_at", self.created_at == ticket.opened_at),
            ("updated_at", self.updated_at == Some(ticket.updated_at)),
            ("public_updated_at", self.public_updated_at == Some(ticket.public_updated_at)),
        ];
        let wrong = same.iter().find(|(_, same)| !same);
        wrong.map(|(column, _)| format!("column {column} in the list differs from the log"))
    }
}

/// The next thousand rows, by id.
async fn stored_rows(
    connection: &mut PgConnection,
    generation: Generation,
    after: Option<Uuid>,
) -> Result<Vec<StoredRow>, StoreError> {
    let sql = format!(
        "select id, number, version, position, status, priority, team, category, assignee, requester, followers, tags,
                created_at, updated_at, public_updated_at, ticket
           from read_models.tickets_{generation} left join read_models.tickets_recency_{generation} on ticket_id = id
          where $1::uuid is null or id > $1 order by id limit 1000"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql)).bind(after).fetch_all(connection).await?)
}

/// The tickets among these whose words differ from the given ones.
async fn differing_words(
    connection: &mut PgConnection,
    generation: Generation,
    tickets: &[Uuid],
    words: WordColumns,
) -> Result<Vec<StreamId>, StoreError> {
    let sql = format!(
        "select distinct coalesce(expected.ticket_id, w.ticket_id)
           from unnest($2::uuid[], $3::bigint[], $4::boolean[], $5::tsvector[]) expected (ticket_id, entry, public, words)
           full join (select * from read_models.tickets_words_{generation} where ticket_id = any($1)) w
             on w.ticket_id = expected.ticket_id and w.entry = expected.entry
          where (w.public, w.words) is distinct from (expected.public, expected.words)
          order by 1"
    );
    let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(tickets).bind(words.ticket_id).bind(words.entry);
    let differing: Vec<Uuid> = query.bind(words.public).bind(words.words).fetch_all(connection).await?;
    Ok(differing.into_iter().map(StreamId).collect())
}
