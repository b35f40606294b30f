//! Leadership: of several processes that could do a job, one does it.

mod standby;

use sqlx::{Connection, PgConnection};

use crate::{EventStore, StoreError, SubscriptionError};

pub(crate) use self::standby::Standby;

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

    /// Makes sure that the leadership is still held. A leader that writes nothing calls it more often than
    /// [`crate::Options::lead_silence`].
    ///
    /// # Errors
    /// If the connection is lost, and the leadership with it.
    pub async fn check(&mut self) -> Result<(), StoreError> {
        Ok(self.connection.ping().await?)
    }
}

impl EventStore {
    /// Waits for the leadership of a name. However many names a process waits for, they share one connection, which asks
    /// every second; a leader has one of its own.
    ///
    /// # Errors
    /// [`SubscriptionError::Closed`] once the store is closed; otherwise faults of the database.
    pub async fn lead(&self, name: &str) -> Result<Lead, SubscriptionError> {
        loop {
            self.standby.wait_until_free(self, name).await?;
            if let Some(lead) = self.take_lead(name).await? {
                return Ok(lead);
            }
        }
    }

    /// Takes the leadership of a name, if nobody has it.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn try_lead(&self, name: &str) -> Result<Option<Lead>, StoreError> {
        // over the pool at first, which is cheaper than a connection in vain
        let free: bool = sqlx::query_scalar("select pg_try_advisory_xact_lock(hashtextextended('lead ' || $1, 0))")
            .bind(name)
            .fetch_one(&self.pool)
            .await?;
        if free { self.take_lead(name).await } else { Ok(None) }
    }

    async fn take_lead(&self, name: &str) -> Result<Option<Lead>, StoreError> {
        let mut connection = PgConnection::connect_with(&self.pool.connect_options()).await?;
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
