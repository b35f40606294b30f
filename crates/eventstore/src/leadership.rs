//! Leadership: of several processes that could do a job, one does it.

use sqlx::{Connection, PgConnection};

use crate::{EventStore, StoreError};

/// The right to be the only one that does the job of a name, held by a connection as a session advisory lock.
///
/// A process that dies loses it with the connection, and so does one that has been silent for
/// [`crate::Options::lead_silence`], because it may be stopped. A writer that uses this very connection can't write after it
/// has lost the leadership.
#[derive(Debug)]
pub struct Lead {
    connection: PgConnection,
}

impl Lead {
    /// The connection that holds the leadership.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl EventStore {
    /// Takes the leadership of a name, if nobody has it. [`Self::subscribe`] does so for a subscription.
    pub async fn try_lead(&self, name: &str) -> Result<Option<Lead>, StoreError> {
        // over the pool at first: one that stands by keeps no connection
        let free: bool = sqlx::query_scalar("select pg_try_advisory_xact_lock(hashtextextended('lead ' || $1, 0))")
            .bind(name)
            .fetch_one(&self.pool)
            .await?;
        if !free {
            return Ok(None);
        }
        let to = self.pool.connect_options();
        let mut connection = PgConnection::connect_with(&to).await?;
        let options = self.appender.options();
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
}
