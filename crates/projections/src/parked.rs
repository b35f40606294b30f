//! Parked streams, and events that an operator has decided to skip (docs/adr/0016).

use std::collections::{HashMap, HashSet};

use eventstore::{Position, StoreError, StreamId, Version};
use sqlx::{PgExecutor, Row};

use crate::generation::Generation;

/// Where a stream stopped, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parked {
    pub(crate) stream: StreamId,
    pub(crate) position: Position,
    pub(crate) version: Version,
    pub(crate) error: String,
}

/// Parks a stream, or moves a parked stream to another event.
pub(crate) async fn park(
    executor: impl PgExecutor<'_>,
    projection: &str,
    generation: Generation,
    parked: &Parked,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into read_models.parked (projection, generation, stream_id, position, version, error, since)
         values ($1, $2, $3, $4, $5, $6, now())
         on conflict on constraint parked_pkey
         do update set position = excluded.position, version = excluded.version, error = excluded.error",
    )
    .bind(projection)
    .bind(generation.0)
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
pub(crate) async fn release(
    executor: impl PgExecutor<'_>,
    projection: &str,
    generation: Generation,
    stream: StreamId,
) -> Result<(), StoreError> {
    sqlx::query("delete from read_models.parked where projection = $1 and generation = $2 and stream_id = $3")
        .bind(projection)
        .bind(generation.0)
        .bind(stream.0)
        .execute(executor)
        .await?;
    Ok(())
}

/// The parked streams, and where each stopped.
pub(crate) async fn all(
    executor: impl PgExecutor<'_>,
    projection: &str,
    generation: Generation,
) -> Result<HashMap<StreamId, Parked>, StoreError> {
    let rows = sqlx::query(
        "select stream_id, position, version, error from read_models.parked where projection = $1 and generation = $2",
    )
    .bind(projection)
    .bind(generation.0)
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

/// The positions that are skipped.
pub(crate) async fn skips(executor: impl PgExecutor<'_>, projection: &str) -> Result<HashSet<Position>, StoreError> {
    let positions: Vec<i64> = sqlx::query_scalar("select position from read_models.skips where projection = $1")
        .bind(projection)
        .fetch_all(executor)
        .await?;
    Ok(positions.into_iter().map(Position).collect())
}

/// Records that an event is skipped, in every generation.
pub(crate) async fn skip(
    executor: impl PgExecutor<'_>,
    projection: &str,
    parked: &Parked,
    reason: &str,
    by: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into read_models.skips (projection, position, stream_id, reason, skipped_by, skipped_at)
         values ($1, $2, $3, $4, $5, now()) on conflict on constraint skips_pkey do nothing",
    )
    .bind(projection)
    .bind(parked.position.0)
    .bind(parked.stream.0)
    .bind(reason)
    .bind(by)
    .execute(executor)
    .await?;
    Ok(())
}
