//! Checkpoints: how far a subscription has read the log.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, Row};

use crate::{EventStore, Position, StoreError};

/// How far a subscription has read the log. [`crate::Subscription`] keeps one by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The subscription's name.
    pub name: String,
    /// The last position that it has handled.
    pub position: Position,
    /// When it moved.
    pub updated_at: DateTime<Utc>,
    /// How many positions the log is ahead.
    pub lag: u64,
}

impl EventStore {
    /// The checkpoints of all subscriptions, by name, with their lag behind the end of the log.
    pub async fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        let rows = sqlx::query(
            "with head as (select coalesce((select position from events order by position desc limit 1), 0) as position)
             select name, c.position, updated_at, greatest(head.position - c.position, 0)
               from checkpoints c cross join head order by name",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Checkpoint {
                    name: row.try_get(0)?,
                    position: Position(row.try_get(1)?),
                    updated_at: row.try_get(2)?,
                    lag: row.try_get::<i64, _>(3)?.unsigned_abs(),
                })
            })
            .collect()
    }
}

impl Checkpoint {
    /// A subscription's position; zero where there is no checkpoint.
    pub async fn position(executor: impl PgExecutor<'_>, name: &str) -> Result<Position, StoreError> {
        Ok(Self::find(executor, name).await?.unwrap_or_default())
    }

    pub(crate) async fn find(executor: impl PgExecutor<'_>, name: &str) -> Result<Option<Position>, StoreError> {
        let position = sqlx::query_scalar("select position from checkpoints where name = $1")
            .bind(name)
            .fetch_optional(executor)
            .await?;
        Ok(position.map(Position))
    }

    /// Moves a checkpoint within the transaction that holds the effect of the events. `false`: it was not at `from`, because
    /// another process has moved it, and the transaction must not be committed.
    pub async fn advance(
        executor: impl PgExecutor<'_>,
        name: &str,
        from: Position,
        to: Position,
    ) -> Result<bool, StoreError> {
        let moved = sqlx::query(
            "with moved as (
               update checkpoints set position = $3, updated_at = now() where name = $1 and position = $2 returning 1
             ), made as (
               insert into checkpoints (name, position, updated_at)
               select $1, $3, now() where $2 = 0 and not exists (select from checkpoints where name = $1) returning 1
             )
             select (select count(*) from moved) + (select count(*) from made)",
        )
        .bind(name)
        .bind(from.0)
        .bind(to.0)
        .fetch_one(executor)
        .await?;
        Ok(moved.try_get::<i64, _>(0)? == 1)
    }
}
