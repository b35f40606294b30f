//! Aliases: unique second names of streams, written by the append itself (`eventstore_append`).

use sqlx::Row;

use uuid::Uuid;

use crate::{EventStore, StoreError, StreamId, Version};

/// What a stream holds, and how long it is, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldAliases {
    /// The stream.
    pub stream_id: StreamId,
    /// Its last version; zero: there is no such stream.
    pub version: Version,
    /// Its aliases (scope, name), in order.
    pub aliases: Vec<(String, String)>,
}

impl EventStore {
    /// The aliases that these streams hold, in the order of their ids: for audits. Versions and aliases are of one moment.
    pub async fn held_aliases(&self, streams: &[StreamId]) -> Result<Vec<HeldAliases>, StoreError> {
        let ids: Vec<Uuid> = streams.iter().map(|stream| stream.0).collect();
        let rows = sqlx::query(
            "select s.id, coalesce((select e.version from events e where e.stream_id = s.id order by e.version desc limit 1), 0),
                    a.scope, a.name
               from unnest($1::uuid[]) s (id) left join aliases a on a.stream_id = s.id
              order by s.id, a.scope, a.name",
        )
        .bind(ids)
        .fetch_all(&self.pool)
        .await?;
        let mut held: Vec<HeldAliases> = Vec::with_capacity(streams.len());
        for row in &rows {
            let stream_id = StreamId(row.try_get(0)?);
            if held.last().is_none_or(|last| last.stream_id != stream_id) {
                held.push(HeldAliases { stream_id, version: Version(row.try_get(1)?), aliases: Vec::new() });
            }
            if let (Some(last), Some(scope)) = (held.last_mut(), row.try_get(2)?) {
                last.aliases.push((scope, row.try_get(3)?));
            }
        }
        Ok(held)
    }

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
