//! The audit of `queues`: it groups and counts the tickets of the log.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::ready;
use std::pin::pin;

use eventstore::{RecordedEvent, StoreError};
use futures_util::TryStreamExt;
use shared_kernel::Aggregate;
use sqlx::{AssertSqlSafe, PgConnection};
use ticket_aggregate::Ticket;
use uuid::Uuid;

use super::NAME;
use super::columns::{QueueRow, QueuedTicket};
use super::group_key::{GroupKey, GroupedTicket};
use crate::fold;
use crate::generation::Generation;
use crate::verification::{Difference, Verification, fold_streams};

/// Tickets are compared in chunks of this size.
const CHUNK: usize = 1_000;

pub(super) async fn differences(verification: &mut Verification<'_>) -> Result<Vec<Difference>, StoreError> {
    let Verification { store, connection, generation, scope, progress } = verification;
    let mut differences = Vec::new();
    let (mut counts, mut total) = (BTreeMap::new(), 0_i64);
    let tickets = fold_streams(store, scope, *progress, Expected::apply)
        .try_filter_map(|(stream, expected)| ready(Ok(expected.queued.map(|queued| (stream, queued)))));
    let mut chunks = pin!(tickets.try_chunks(CHUNK));
    while let Some(chunk) = chunks.try_next().await.map_err(|error| error.1)? {
        let ids = chunk.iter().map(|(stream, _)| stream.0).collect();
        let stored = stored_tickets(connection, *generation, ids).await?;
        for (stream, queued) in chunk {
            let expected = QueuedTicket::of(stream, &queued);
            let detail = match stored.get(&stream.0).map(|row| row.differing_column(&expected)) {
                Some(None) => None,
                Some(Some(column)) => Some(format!("column {column} of the ticket's queue differs from the log")),
                None => Some("the ticket is counted in no queue".to_owned()),
            };
            differences.extend(detail.map(|detail| Difference { projection: NAME, stream: Some(stream), detail }));
            *counts.entry(queued.key).or_default() += 1;
            total += 1;
        }
    }
    let difference = |detail| Difference { projection: NAME, stream: None, detail };
    let stored = count_tickets(connection, *generation).await?;
    if stored > total {
        differences.push(difference(format!("{stored} tickets have a row, the log has {total}")));
    }
    let (stored, unreadable) = stored_counts(connection, *generation).await?;
    differences.extend(unreadable.into_iter().map(|row| difference(format!("{row} can't be read"))));
    for key in counts.keys().chain(stored.keys()).collect::<BTreeSet<_>>() {
        let [found, right] = [&stored, &counts].map(|counts| counts.get(key).copied().unwrap_or_default());
        if found != right {
            differences.push(difference(format!("{key}: {found} tickets are counted, the log has {right}")));
        }
    }
    Ok(differences)
}

/// A ticket and its queue according to the log.
#[derive(Debug, Default)]
struct Expected {
    ticket: Option<Ticket>,
    queued: Option<GroupedTicket>,
}

impl Expected {
    fn apply(&mut self, recorded: &RecordedEvent) {
        if recorded.stream_type.as_str() != Ticket::TYPE {
            return;
        }
        // the audit of the log reports what can't be decoded
        let Ok(event) = fold::decode::<Ticket>(recorded) else { return };
        self.ticket = fold::apply_recorded::<Ticket>(self.ticket.take(), recorded, &event);
        self.queued = self.ticket.as_ref().map(|ticket| GroupedTicket::after(self.queued.as_ref(), ticket));
    }
}

async fn stored_tickets(
    connection: &mut PgConnection,
    generation: Generation,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, QueuedTicket>, StoreError> {
    let (names, table) = (QueuedTicket::COLUMNS.names(), QueuedTicket::COLUMNS.table(generation));
    let sql = format!("select {names} from {table} where ticket_id = any($1)");
    let rows: Vec<QueuedTicket> = sqlx::query_as(AssertSqlSafe(sql)).bind(ids).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.ticket_id, row)).collect())
}

/// The number of tickets that have a row.
async fn count_tickets(connection: &mut PgConnection, generation: Generation) -> Result<i64, StoreError> {
    let sql = format!("select count(*) from {}", QueuedTicket::COLUMNS.table(generation));
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?)
}

/// The counts, and descriptions of the rows that can't be read.
async fn stored_counts(
    connection: &mut PgConnection,
    generation: Generation,
) -> Result<(BTreeMap<GroupKey, i64>, Vec<String>), StoreError> {
    let (names, table) = (QueueRow::COLUMNS.names(), QueueRow::COLUMNS.table(generation));
    let sql = format!("select {names} from {table}");
    let (mut counts, mut unreadable) = (BTreeMap::new(), Vec::new());
    for row in sqlx::query_as::<_, QueueRow>(AssertSqlSafe(sql)).fetch_all(connection).await? {
        match row.key() {
            Ok(key) => drop(counts.insert(key, row.count)),
            Err(description) => unreadable.push(description),
        }
    }
    Ok((counts, unreadable))
}
