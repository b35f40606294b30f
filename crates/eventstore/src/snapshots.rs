//! Snapshots: folded states of long streams. They save reading, and are never the truth.

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::{EventStore, StoreError, StreamId, Version};

/// A folded state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The version that it is the fold of.
    pub version: Version,
    /// A JSON text.
    pub state: String,
}

/// Names a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotKey {
    /// Of which stream.
    pub stream_id: StreamId,
    /// The version of the state's form.
    pub schema_version: i16,
    /// The version of the stream that it is the fold of.
    pub version: Version,
}

impl EventStore {
    /// Up to `limit` snapshots in the order of their keys, after one of them: for audits.
    pub async fn snapshots_after(
        &self,
        after: Option<SnapshotKey>,
        limit: u16,
    ) -> Result<Vec<SnapshotKey>, StoreError> {
        let first =
            SnapshotKey { stream_id: StreamId(Uuid::nil()), schema_version: i16::MIN, version: Version(i64::MIN) };
        let after = after.unwrap_or(first);
        let rows = sqlx::query(
            "select stream_id, schema_version, version from snapshots
              where (stream_id, schema_version, version) > ($1, $2, $3)
              order by stream_id, schema_version, version limit $4",
        )
        .bind(after.stream_id.0)
        .bind(after.schema_version)
        .bind(after.version.0)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let read = |row: &PgRow| {
            let (stream_id, version) = (StreamId(row.try_get(0)?), Version(row.try_get(2)?));
            Ok(SnapshotKey { stream_id, schema_version: row.try_get(1)?, version })
        };
        rows.iter().map(read).collect()
    }

    /// The newest snapshot of a schema version, not after `until`.
    pub async fn snapshot(
        &self,
        stream: StreamId,
        schema_version: i16,
        until: Option<Version>,
    ) -> Result<Option<Snapshot>, StoreError> {
        let row = sqlx::query(
            "select version, state::text from snapshots
              where stream_id = $1 and schema_version = $2 and version <= coalesce($3, 9223372036854775807)
              order by version desc limit 1",
        )
        .bind(stream.0)
        .bind(schema_version)
        .bind(until.map(|v| v.0))
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Snapshot { version: Version(row.try_get(0)?), state: row.try_get(1)? }))
    }

    /// Stores a snapshot; an existing one of the same version stays.
    pub async fn keep_snapshot(
        &self,
        stream: StreamId,
        schema_version: i16,
        snapshot: &Snapshot,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into snapshots (stream_id, schema_version, version, state) values ($1, $2, $3, $4::json)
             on conflict on constraint snapshots_pkey do nothing",
        )
        .bind(stream.0)
        .bind(schema_version)
        .bind(snapshot.version.0)
        .bind(&snapshot.state)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
