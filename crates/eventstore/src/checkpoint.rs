//! Cursors: how far a follower has read; and leadership: that only one of several does.

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, PgExecutor, Row};

use crate::session::Options;
use crate::{EventStore, Position, StoreError};

/// A follower's place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose.
    pub name: String,
    /// The last position that was dealt with.
    pub position: Position,
    /// When it moved.
    pub updated_at: DateTime<Utc>,
}

/// The right to be the one follower of a name, held by a connection: a process that dies loses it with
/// the connection, and so does one that has been silent for [`Options::lead_silence`]: it may be stopped. Who writes what follows from the log over this very connection can't write after
/// having lost it.
#[derive(Debug)]
pub struct Lead {
    connection: PgConnection,
}

impl Lead {
    /// The connection that holds it.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl EventStore {
    /// Takes the lead for a name, if nobody has it.
    pub async fn try_lead(&self, name: &str) -> Result<Option<Lead>, StoreError> {
        let to = self.pool.connect_options();
        let mut connection = PgConnection::connect_with(&to).await?;
        let options: &Options = self.appender.options();
        // a process that is stopped, not dead, keeps its connection: without this it would keep the lead, too
        let silence = format!("set idle_session_timeout = {}; ", options.lead_silence.as_millis());
        let setup = silence + &options.session_sql();
        sqlx::raw_sql(sqlx::AssertSqlSafe(setup)).execute(&mut connection).await?;
        let leads: bool = sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended('lead ' || $1, 0))")
            .bind(name)
            .fetch_one(&mut connection)
            .await?;
        Ok(leads.then_some(Lead { connection }))
    }

    /// All cursors, by name.
    pub async fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        let rows = sqlx::query("select name, position, updated_at from checkpoints order by name")
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Checkpoint {
                    name: row.try_get(0)?,
                    position: Position(row.try_get(1)?),
                    updated_at: row.try_get(2)?,
                })
            })
            .collect()
    }
}

impl Checkpoint {
    /// Where a follower stands: zero for one that has not begun.
    pub async fn position(executor: impl PgExecutor<'_>, name: &str) -> Result<Position, StoreError> {
        let position = sqlx::query_scalar("select position from checkpoints where name = $1")
            .bind(name)
            .fetch_optional(executor)
            .await?;
        Ok(Position(position.unwrap_or(0)))
    }

    /// Moves a follower's place, within the transaction that holds what it made of the events. `false`: it was
    /// not where it was thought to be, somebody else has moved it, and the transaction must not be committed.
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
