//! The appender's own connection: how it is set up, and how the server process of a lost one is ended.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection};

/// Bounds and time-outs of the store.
///
/// ```
/// use std::time::Duration;
///
/// let options = eventstore::Options::default().queue(1_000).patience(Duration::from_secs(1));
/// assert_eq!(options.queue, 1_000);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The most appends that may wait (default 4,096); one more is [`crate::AppendError::Overloaded`].
    pub queue: usize,
    /// The most units of a batch (default 256).
    pub batch: usize,
    /// How long appends wait behind a batch that is under way (default 2 s); then they are
    /// [`crate::AppendError::Overloaded`].
    pub patience: Duration,
    /// How long one batch may take in the server (default 5 s).
    pub statement_timeout: Duration,
    /// How long the outcome of an append is looked for after its connection was lost (default 10 s).
    pub settle_timeout: Duration,
    /// How long a [`crate::Lead`] may be silent outside of a transaction before the database ends it (default 15 s).
    pub lead_silence: Duration,
    /// SQL that each new connection of the store runs first (`set role …`).
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
    /// Sets the most appends that may wait.
    #[must_use]
    pub fn queue(self, queue: usize) -> Self {
        Self { queue, ..self }
    }

    /// Sets the most units of a batch.
    #[must_use]
    pub fn batch(self, batch: usize) -> Self {
        Self { batch, ..self }
    }

    /// Sets how long appends wait behind a batch.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Sets how long one batch may take in the server.
    #[must_use]
    pub fn statement_timeout(self, statement_timeout: Duration) -> Self {
        Self { statement_timeout, ..self }
    }

    /// Sets how long an unknown outcome is looked for.
    #[must_use]
    pub fn settle_timeout(self, settle_timeout: Duration) -> Self {
        Self { settle_timeout, ..self }
    }

    /// Sets how long a leader may be silent.
    #[must_use]
    pub fn lead_silence(self, lead_silence: Duration) -> Self {
        Self { lead_silence, ..self }
    }

    /// Sets the SQL that each new connection of the store runs first.
    #[must_use]
    pub fn on_connect(self, sql: impl Into<String>) -> Self {
        Self { on_connect: Some(sql.into()), ..self }
    }

    /// The statements that set up a connection: time-outs, then `on_connect`.
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
}

impl Session {
    /// Connects once the server process of the lost connection is gone. Only then does the log tell the outcome of the
    /// statement that it was running: until then it might still be waiting for the lock.
    pub(crate) async fn connect(
        to: &PgConnectOptions,
        options: &Options,
        lost: Option<Backend>,
    ) -> Result<Self, sqlx::Error> {
        let mut connection = tokio::time::timeout(options.statement_timeout, to.connect())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)??;
        // both before `on_connect`, which may give up the role that sees and ends our own server processes
        if let Some(lost) = lost {
            terminate_backend(&mut connection, lost).await?;
        }
        let (pid, started) =
            sqlx::query_as("select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()")
                .fetch_one(&mut connection)
                .await?;
        connection.execute(sqlx::AssertSqlSafe(options.session_sql())).await?;
        Ok(Self { connection, backend: Backend { pid, started } })
    }
}

async fn terminate_backend(connection: &mut PgConnection, lost: Backend) -> Result<(), sqlx::Error> {
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
