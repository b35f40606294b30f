//! The audit of `queues`: it groups and counts the tickets of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::pin::pin;

use eventstore::{RecordedEvent, StoreError, StreamId};
use futures_util::TryStreamExt;
use shared_kernel::Aggregate;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use ticket_aggregate::Ticket;
use uuid::Uuid;

use super::NAME;
use super::group_key::GroupKey;
use crate::fold;
use crate::generation::Generation;
use crate::verification::{Difference, Verification, fold_streams};

/// Tickets are compared in chunks of this size.
const CHUNK: usize = 1_000;

pub(super) async fn differences(verification: &mut Verification<'_>) -> Result<Vec<Difference>, StoreError> {
    let Verification { store, connection, generation, scope, progress } = verification;
    let mut differences = Vec::new();
    let (mut counts, mut total) = (BTreeMap::new(), 0_i64);
    let tickets = fold_streams(store, scope, *progress, apply)
        .try_filter_map(|(stream, ticket)| ready(Ok(ticket.map(|ticket| (stream, GroupKey::of(&ticket))))));
    let mut chunks = pin!(tickets.try_chunks(CHUNK));
    while let Some(chunk) = chunks.try_next().await.map_err(|error| error.1)? {
        for (_, key) in &chunk {
            *counts.entry(key.clone()).or_default() += 1;
            total += 1;
        }
        for ticket in differing_tickets(connection, *generation, &chunk).await? {
            let detail = "the queue that it is counted in differs from the log".to_owned();
            differences.push(Difference { projection: NAME, stream: Some(ticket), detail });
        }
    }
    let difference = |detail| Difference { projection: NAME, stream: None, detail };
    let stored = stored_tickets(connection, *generation).await?;
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

/// The tickets among these whose row differs, or is missing.
async fn differing_tickets(
    connection: &mut PgConnection,
    generation: Generation,
    expected: &[(StreamId, GroupKey)],
) -> Result<Vec<StreamId>, StoreError> {
    let sql = format!(
        "select ticket_id
           from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[])
                  expected (ticket_id, team, status, assignee, priority)
           left join read_models.queues_tickets_{generation} q using (ticket_id)
          where (q.team, q.status, q.assignee, q.priority)
                is distinct from (expected.team, expected.status, expected.assignee, expected.priority)
          order by 1"
    );
    let ids: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(expected.iter().map(|(ticket, _)| ticket.0).collect::<Vec<_>>())
        .bind(expected.iter().map(|(_, key)| key.team.map(Uuid::from)).collect::<Vec<_>>())
        .bind(expected.iter().map(|(_, key)| key.status.as_str()).collect::<Vec<_>>())
        .bind(expected.iter().map(|(_, key)| key.assignee.map(Uuid::from)).collect::<Vec<_>>())
        .bind(expected.iter().map(|(_, key)| key.priority.as_str()).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    Ok(ids.into_iter().map(StreamId).collect())
}

/// The number of tickets that have a row.
async fn stored_tickets(connection: &mut PgConnection, generation: Generation) -> Result<i64, StoreError> {
    let sql = format!("select count(*) from read_models.queues_tickets_{generation}");
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?)
}

fn apply(ticket: &mut Option<Ticket>, recorded: &RecordedEvent) {
    if recorded.stream_type.as_str() != Ticket::TYPE {
        return;
    }
    // the audit of the log reports what can't be decoded
    let Ok(event) = fold::decode::<Ticket>(recorded) else { return };
    *ticket = fold::apply_recorded::<Ticket>(ticket.take(), recorded, &event);
}

/// The counts, and descriptions of the rows that can't be read.
async fn stored_counts(
    connection: &mut PgConnection,
    generation: Generation,
) -> Result<(BTreeMap<GroupKey, i64>, Vec<String>), StoreError> {
    let sql = format!("select team, status, assignee, priority, count from read_models.queues_{generation}");
    let (mut counts, mut unreadable) = (BTreeMap::new(), Vec::new());
    for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await? {
        match GroupKey::read(&row)? {
            Ok(key) => drop(counts.insert(key, row.try_get(4)?)),
            Err(description) => unreadable.push(description),
        }
    }
    Ok((counts, unreadable))
}
