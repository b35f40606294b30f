//! The audit of `tickets`. It folds the log by itself, so that errors of the writer show as well as changed rows. Rows and
//! streams are read side by side, by id: memory is bounded by a page of rows.

use std::collections::HashMap;
use std::pin::pin;

use eventstore::{Position, RecordedEvent, StoreError, StreamId};
use futures_util::StreamExt;
use shared_kernel::Aggregate;
use sqlx::{AssertSqlSafe, PgConnection};
use ticket_aggregate::Ticket;
use uuid::Uuid;

use super::NAME;
use super::changes::{EntryWords, push_words};
use super::columns::{Recency, StoredTicket, TextWords, TextsWords, read_ticket};
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
        let Some(last) = rows.last().map(|(row, _)| row.id) else { break };
        after = Some(last);
        let (mut sound, mut words) = (Vec::new(), TextsWords::default());
        for (row, recency) in rows {
            while let Some((ticket, _)) = next.as_ref().filter(|(ticket, _)| ticket.0 < row.id) {
                differ(*ticket, missing());
                next = expected.next().await.transpose()?;
            }
            match next.take() {
                Some((ticket, folded)) if ticket.0 == row.id => {
                    if let Some(detail) = compare(ticket, &row, recency.as_ref(), &folded) {
                        differ(ticket, detail);
                    } else {
                        sound.push(ticket.0);
                        push_words(&mut words, ticket, folded.words);
                    }
                    next = expected.next().await.transpose()?;
                }
                other => {
                    differ(StreamId(row.id), "the list has this ticket, the log has not".to_owned());
                    next = other;
                }
            }
        }
        for ticket in differing_words(connection, *generation, sound, words).await? {
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
fn compare(id: StreamId, row: &StoredTicket, recency: Option<&Recency>, expected: &ExpectedTicket) -> Option<String> {
    let ticket = expected.ticket.as_ref()?;
    match read_ticket(row.id, &row.ticket) {
        Ok(stored) if stored == *ticket => {
            let column = row.differing_column(&StoredTicket::of(id, expected.last, ticket));
            let missing = || Some("updated_at");
            let column = column
                .or_else(|| recency.map_or_else(missing, |row| row.differing_column(&Recency::of(id, ticket))))?;
            Some(format!("column {column} in the list differs from the log"))
        }
        Ok(stored) => Some(format!(
            "the ticket in the list (version {}) differs from the log (version {})",
            stored.version, ticket.version
        )),
        Err(error) => Some(format!("can't be read: {error}")),
    }
}

/// The next thousand rows, by id, each with its times.
async fn stored_rows(
    connection: &mut PgConnection,
    generation: Generation,
    after: Option<Uuid>,
) -> Result<Vec<(StoredTicket, Option<Recency>)>, StoreError> {
    let (names, table) = (StoredTicket::COLUMNS.names(), StoredTicket::COLUMNS.table(generation));
    let sql = format!("select {names} from {table} where $1::uuid is null or id > $1 order by id limit 1000");
    let tickets: Vec<StoredTicket> = sqlx::query_as(AssertSqlSafe(sql)).bind(after).fetch_all(&mut *connection).await?;
    let (names, table) = (Recency::COLUMNS.names(), Recency::COLUMNS.table(generation));
    let sql = format!("select {names} from {table} where ticket_id = any($1)");
    let ids: Vec<Uuid> = tickets.iter().map(|row| row.id).collect();
    let recency: Vec<Recency> = sqlx::query_as(AssertSqlSafe(sql)).bind(ids).fetch_all(connection).await?;
    let mut recency: HashMap<_, _> = recency.into_iter().map(|row| (row.ticket_id, row)).collect();
    Ok(tickets
        .into_iter()
        .map(|row| {
            let times = recency.remove(&row.id);
            (row, times)
        })
        .collect())
}

/// The tickets among these whose words differ from the given ones.
async fn differing_words(
    connection: &mut PgConnection,
    generation: Generation,
    tickets: Vec<Uuid>,
    words: TextsWords,
) -> Result<Vec<StreamId>, StoreError> {
    let columns = TextWords::COLUMNS;
    let mut arguments = words.arguments()?;
    sqlx::Arguments::add(&mut arguments, tickets).map_err(sqlx::Error::Encode)?;
    let sql = format!(
        "select distinct coalesce(expected.ticket_id, w.ticket_id)
           from {} expected ({})
           full join (select * from {} where ticket_id = any(${}::uuid[])) w
             on w.ticket_id = expected.ticket_id and w.entry = expected.entry
          where ({}) is distinct from ({})
          order by 1",
        columns.unnest(),
        columns.names(),
        columns.table(generation),
        columns.columns.len() + 1,
        columns.names_of("w"),
        columns.names_of("expected"),
    );
    let differing: Vec<Uuid> = sqlx::query_scalar_with(AssertSqlSafe(sql), arguments).fetch_all(connection).await?;
    Ok(differing.into_iter().map(StreamId).collect())
}
