//! A connection of the log's own: how it is set up, and how a lost one is laid to rest.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection};

use crate::append::Heads;

/// How the store behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many appends may wait; one more is [`crate::AppendError::Overloaded`].
    pub queue: usize,
    /// How many units travel together at the most.
    pub batch: usize,
    /// How long appends wait behind a batch that is under way; then they are [`crate::AppendError::Overloaded`].
    pub patience: Duration,
    /// How long one batch may take in the server.
    pub statement_timeout: Duration,
    /// How long the outcome of an append is looked for after its connection was lost.
    pub settle_timeout: Duration,
    /// How long a [`crate::Lead`] may be silent, outside of a transaction, before the database ends it.
    pub lead_silence: Duration,
    /// SQL that each new connection runs first (`set role …`).
    pub on_connect: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 4_096,
            batch: 256,
            patience: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(5),
            settle_timeout: Duration::from_secs(10),
            lead_silence: Duration::from_secs(15),
            on_connect: None,
        }
    }
}

impl Options {
    /// The statements that set up a connection: time-outs that end what hangs, and `on_connect`.
    pub fn session_sql(&self) -> String {
        let millis = self.statement_timeout.as_millis();
        format!(
            "set statement_timeout = {millis}; set lock_timeout = {millis}; \
             set idle_in_transaction_session_timeout = '10s'; {}",
            self.on_connect.as_deref().unwrap_or_default()
        )
    }
}

/// Which server process a connection talks to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backend {
    pid: i32,
    started: DateTime<Utc>,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) connection: PgConnection,
    pub(crate) backend: Backend,
    pub(crate) heads: Heads,
}

impl Session {
    /// Connects, after the server process of the connection that was lost before is gone. Only then
    /// does what is in the log tell what became of the statement that it was running: until then
    /// it might still be waiting for the lock.
    pub(crate) async fn connect(
        to: &PgConnectOptions,
        options: &Options,
        lost: Option<Backend>,
    ) -> Result<Self, sqlx::Error> {
        let mut connection = tokio::time::timeout(options.statement_timeout, to.connect())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)??;
        // both before `on_connect`: it may give up the role that may see and end our own processes
        if let Some(lost) = lost {
            lay_to_rest(&mut connection, lost).await?;
        }
        let (pid, started) =
            sqlx::query_as("select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()")
                .fetch_one(&mut connection)
                .await?;
        connection.execute(sqlx::AssertSqlSafe(options.session_sql())).await?;
        Ok(Self { connection, backend: Backend { pid, started }, heads: Heads::default() })
    }
}

async fn lay_to_rest(connection: &mut PgConnection, lost: Backend) -> Result<(), sqlx::Error> {
    loop {
        let there: Option<(bool,)> = sqlx::query_as(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and backend_start = $2",
        )
        .bind(lost.pid)
        .bind(lost.started)
        .fetch_optional(&mut *connection)
        .await?;
        if there.is_none() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
