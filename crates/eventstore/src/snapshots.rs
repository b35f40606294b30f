//! Snapshots: folded states of long streams. They save reading, and are never the truth.

use sqlx::Row;

use crate::{EventStore, StoreError, StreamId, Version};

/// A folded state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The version that it is the fold of.
    pub version: Version,
    /// A JSON text.
    pub state: String,
}

impl EventStore {
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
