//! Parked streams, and events that an operator has decided to skip (docs/adr/0016).

use std::collections::{HashMap, HashSet};

use eventstore::{Position, StoreError, StreamId, Version};
use sqlx::{PgExecutor, Row};

/// Where a stream stopped, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The stream.
    pub stream: StreamId,
    /// The position of the event that could not be applied.
    pub position: Position,
    /// Its version.
    pub version: Version,
    /// Why it could not be applied.
    pub error: String,
}

/// Parks a stream, or moves a parked stream to another event.
pub(super) async fn park(executor: impl PgExecutor<'_>, checkpoint: &str, parked: &Parked) -> Result<(), StoreError> {
    sqlx::query(
        "insert into subscriptions.parked (checkpoint, stream_id, position, version, error, since)
         values ($1, $2, $3, $4, $5, now())
         on conflict on constraint parked_pkey
         do update set position = excluded.position, version = excluded.version, error = excluded.error",
    )
    .bind(checkpoint)
    .bind(parked.stream.0)
    .bind(parked.position.0)
    .bind(parked.version.0)
    // PostgreSQL's `text` can't hold U+0000
    .bind(parked.error.replace('\0', "\u{fffd}"))
    .execute(executor)
    .await?;
    Ok(())
}

/// Removes a stream from the parked ones.
pub(super) async fn release(
    executor: impl PgExecutor<'_>,
    checkpoint: &str,
    stream: StreamId,
) -> Result<(), StoreError> {
    sqlx::query("delete from subscriptions.parked where checkpoint = $1 and stream_id = $2")
        .bind(checkpoint)
        .bind(stream.0)
        .execute(executor)
        .await?;
    Ok(())
}

/// The streams that are parked at a checkpoint, and where each stopped.
///
/// # Errors
/// Faults of the database.
pub async fn parked(executor: impl PgExecutor<'_>, checkpoint: &str) -> Result<HashMap<StreamId, Parked>, StoreError> {
    let rows =
        sqlx::query("select stream_id, position, version, error from subscriptions.parked where checkpoint = $1")
            .bind(checkpoint)
            .fetch_all(executor)
            .await?;
    rows.iter()
        .map(|row| {
            let stream = StreamId(row.try_get(0)?);
            let (position, version) = (Position(row.try_get(1)?), Version(row.try_get(2)?));
            Ok((stream, Parked { stream, position, version, error: row.try_get(3)? }))
        })
        .collect()
}

/// Forgets the parked streams of a checkpoint that is removed.
///
/// # Errors
/// Faults of the database.
pub async fn forget(executor: impl PgExecutor<'_>, checkpoint: &str) -> Result<(), StoreError> {
    sqlx::query("delete from subscriptions.parked where checkpoint = $1").bind(checkpoint).execute(executor).await?;
    Ok(())
}

/// The positions that a subscription skips.
///
/// # Errors
/// Faults of the database.
pub async fn skips(executor: impl PgExecutor<'_>, subscription: &str) -> Result<HashSet<Position>, StoreError> {
    let positions: Vec<i64> = sqlx::query_scalar("select position from subscriptions.skips where subscription = $1")
        .bind(subscription)
        .fetch_all(executor)
        .await?;
    Ok(positions.into_iter().map(Position).collect())
}

/// Records that a subscription skips an event, at every checkpoint.
pub(super) async fn skip(
    executor: impl PgExecutor<'_>,
    subscription: &str,
    parked: &Parked,
    reason: &str,
    by: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into subscriptions.skips (subscription, position, stream_id, reason, skipped_by, skipped_at)
         values ($1, $2, $3, $4, $5, now()) on conflict on constraint skips_pkey do nothing",
    )
    .bind(subscription)
    .bind(parked.position.0)
    .bind(parked.stream.0)
    .bind(reason)
    .bind(by)
    .execute(executor)
    .await?;
    Ok(())
}
