//! Receipts: what idempotency keys have done, written by the append itself (`eventstore_append`).

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgExecutor, Row};

use crate::{EventStore, Position, Receipt, StoreError, StreamId, Version};

/// A receipt as it is kept, beside the event that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedReceipt {
    /// Who used the key.
    pub caller: String,
    /// The key.
    pub key: String,
    /// The stream that it names.
    pub stream_id: StreamId,
    /// The version that it names.
    pub version: Version,
    /// The position that it names.
    pub position: Position,
    /// Whether that event is the command's own. If not, the command changed nothing, and it was the stream's last event then.
    pub has_events: bool,
    /// The JSON text of the event's metadata; none if the log has no such event.
    pub metadata: Option<String>,
}

impl EventStore {
    /// The receipt of a caller's key, if the key was used.
    pub async fn receipt(&self, caller: &str, key: &str) -> Result<Option<Receipt>, StoreError> {
        find(&self.pool, caller, key).await
    }

    /// Up to `limit` receipts in the order of callers and keys, after one of them: for audits.
    pub async fn receipts_after(
        &self,
        after: Option<&RecordedReceipt>,
        limit: u16,
    ) -> Result<Vec<RecordedReceipt>, StoreError> {
        // "after or from the beginning" in one condition would let the planner read all from the beginning each time
        let condition = if after.is_some() { "where (r.caller, r.key) > ($2, $3)" } else { "" };
        let sql = format!(
            "select r.caller, r.key, r.stream_id, r.version, r.position, r.has_events, e.metadata::text
               from receipts r left join events e
                 on e.stream_id = r.stream_id and e.version = r.version and e.position = r.position
             {condition} order by r.caller, r.key limit $1"
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(i64::from(limit));
        if let Some(RecordedReceipt { caller, key, .. }) = after {
            query = query.bind(caller).bind(key);
        }
        let rows = query.fetch_all(&self.pool).await?;
        let read = |row: &PgRow| {
            Ok(RecordedReceipt {
                caller: row.try_get(0)?,
                key: row.try_get(1)?,
                stream_id: StreamId(row.try_get(2)?),
                version: Version(row.try_get(3)?),
                position: Position(row.try_get(4)?),
                has_events: row.try_get(5)?,
                metadata: row.try_get(6)?,
            })
        };
        rows.iter().map(read).collect()
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
