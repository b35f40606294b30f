//! Receipts: what idempotency keys have done, written by the append itself (`eventstore_append`).

use std::time::Duration;

use sqlx::{PgExecutor, Row};

use crate::{EventStore, Position, Receipt, StoreError, StreamId, Version};

impl EventStore {
    /// The receipt of a caller's key, if the key was used.
    pub async fn receipt(&self, caller: &str, key: &str) -> Result<Option<Receipt>, StoreError> {
        find(&self.pool, caller, key).await
    }

    /// Up to 1,000 receipts (stream, version) whose events are not in the log: evidence that events were removed.
    pub async fn dangling_receipts(&self) -> Result<Vec<(StreamId, Version)>, StoreError> {
        let rows = sqlx::query(
            "select r.stream_id, r.version from receipts r
              where not exists (select from events e where e.stream_id = r.stream_id
                                 and e.version = r.version and e.position = r.position)
              order by r.position limit 1000",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok((StreamId(row.try_get(0)?), Version(row.try_get(1)?)))).collect()
    }

    /// Removes receipts older than `age`, at most a thousand for each call; returns how many. Permanent ones stay.
    pub async fn expire_receipts(&self, age: Duration) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "delete from receipts where (caller, key) in (
               select caller, key from receipts
                where recorded_at < now() - make_interval(secs => $1) and not permanent
                limit 1000 for update skip locked)",
        )
        .bind(age.as_secs_f64())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }
}

pub(crate) async fn find(
    executor: impl PgExecutor<'_>,
    caller: &str,
    key: &str,
) -> Result<Option<Receipt>, StoreError> {
    let row = sqlx::query(
        "select fingerprint, stream_id, version, position, status from receipts where caller = $1 and key = $2",
    )
    .bind(caller)
    .bind(key)
    .fetch_optional(executor)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Receipt {
        fingerprint: row.try_get(0)?,
        stream_id: StreamId(row.try_get(1)?),
        version: Version(row.try_get(2)?),
        position: Position(row.try_get(3)?),
        status: row.try_get(4)?,
    }))
}
