//! Aliases: unique second names of streams, written by the append itself (`eventstore_append`).

use sqlx::Row;

use crate::{EventStore, StoreError, StreamId};

impl EventStore {
    /// The stream that holds an alias.
    pub async fn resolve(&self, scope: &str, name: &str) -> Result<Option<StreamId>, StoreError> {
        let stream = sqlx::query_scalar("select stream_id from aliases where scope = $1 and name = $2")
            .bind(scope)
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        Ok(stream.map(StreamId))
    }

    /// Up to 1,000 aliases (scope, name, stream) whose streams have no event: evidence that events were removed.
    pub async fn dangling_aliases(&self) -> Result<Vec<(String, String, StreamId)>, StoreError> {
        let rows = sqlx::query(
            "select a.scope, a.name, a.stream_id from aliases a
              where not exists (select from events e where e.stream_id = a.stream_id)
              order by a.scope, a.name limit 1000",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, StreamId(row.try_get(2)?)))).collect()
    }
}
