//! Which database there is to work on: the configured one, that of a running server, or a private one.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, ensure};
use desk::{Desk, Keys, Policy};
use devstack::{Durability, Postgres};
use eventstore::{EventStore, Options};
use futures_util::TryFutureExt;
use projections::Projections;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::time::timeout;

use crate::config::{Config, redacted};
use crate::endpoints::Endpoints;
use crate::hint::{Hinted, hint, hinted};

/// The name of the database in a private PostgreSQL.
const NAME: &str = "docket";
/// How long a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// For the keys of callers: look-ups travel together, so few are enough.
const KEY_CONNECTIONS: u32 = 2;
/// A connection that nobody used for so long is tried before it is used again.
const TRIED_AFTER: Duration = Duration::from_secs(1);

/// A change to a table that waits for its lock lets nobody past meanwhile: better to give up, and to be started again.
/// (Another process that is migrating is waited for as long.)
const MIGRATING: &str = "set lock_timeout = '15s'";

/// A database, and the private server beneath it, if there is one.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) private: Option<Postgres>,
}

impl Database {
    /// For commands that create data: a server that runs in the data folder is used where there is one.
    pub(crate) async fn find(config: &Config) -> anyhow::Result<Self> {
        match Self::running(config).await {
            Some(database) => Ok(database),
            None => Self::provide(config).await,
        }
    }

    /// For commands that only work on existing data: without any they create nothing, and fail.
    pub(crate) async fn existing(config: &Config) -> anyhow::Result<Self> {
        if let Some(database) = Self::running(config).await {
            return Ok(database);
        }
        let dir = &config.data_dir;
        // the second says where root had to put it
        let has_data = dir.join("postgres").exists() || dir.join("postgres.location").exists();
        ensure!(
            config.database_url.is_some() || has_data,
            "there is no data in {}; `docket serve` creates it, --data-dir or DATABASE_URL names another place",
            dir.display()
        );
        Self::provide(config).await
    }

    /// The database of a server that runs in the data folder.
    async fn running(config: &Config) -> Option<Self> {
        if config.database_url.is_some() {
            return None;
        }
        let url = Endpoints::read(&config.data_dir)?.database;
        connect(&url, 1).await.is_ok().then_some(Self { url, private: None })
    }

    /// Whether it takes connections.
    pub(crate) async fn check(&self) -> anyhow::Result<()> {
        let connection = timeout(CONNECT_LIMIT, PgConnection::connect(&self.url)).await;
        let late = || sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
        let connection = connection.unwrap_or_else(|_| Err(late())).with_context(|| self.unreachable())?;
        connection.close().await.ok();
        Ok(())
    }

    /// Fails where the schema was never made: whoever only reads does not make it.
    pub(crate) async fn check_schema(&self) -> anyhow::Result<()> {
        let mut connection = timeout(CONNECT_LIMIT, PgConnection::connect(&self.url))
            .await
            .unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
            .with_context(|| self.unreachable())?;
        let made: bool =
            sqlx::query_scalar("select to_regclass('events') is not null").fetch_one(&mut connection).await?;
        connection.close().await.ok();
        if made {
            return Ok(());
        }
        Err(hint(
            format!("the database {} has no schema of Docket's", redacted(&self.url)),
            "`docket migrate` creates it.",
        ))
    }

    /// For `serve`: the configured one, or a private one that is started for it.
    pub(crate) async fn provide(config: &Config) -> anyhow::Result<Self> {
        if let Some(url) = &config.database_url {
            return Ok(Self { url: url.clone(), private: None });
        }
        let postgres = Postgres::start(&config.data_dir, Durability::Durable).await?;
        postgres.ensure_database(NAME).await?;
        Ok(Self { url: postgres.url(NAME), private: Some(postgres) })
    }

    /// The desk over it.
    pub(crate) async fn desk(&self, config: &Config) -> anyhow::Result<Desk> {
        let pool = connect(&self.url, config.database_connections).await.with_context(|| self.unreachable())?;
        let options = Options::default().on_connect(desk::SESSION_SQL);
        let store = EventStore::open(pool.clone(), options.clone());
        let workers = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        // who calls is asked over connections of its own: also while all the others wait for a lock
        let keys = connect(&self.url, KEY_CONNECTIONS).await.with_context(|| self.unreachable())?;
        let keys = Keys::new(&EventStore::open(keys.clone(), options), keys, workers);
        let policy = Policy { reopen_window: config.reopen_window(), ..Policy::default() };
        Ok(Desk::new(store, pool, keys, policy))
    }

    /// The read models over the same log. They read over connections of their own: a list that is asked for in vain
    /// takes none from the commands.
    pub(crate) async fn projections(&self, desk: &Desk, config: &Config) -> anyhow::Result<Projections> {
        let pool = connect(&self.url, config.database_connections).await.with_context(|| self.unreachable())?;
        Ok(Projections::new(desk.store().clone(), pool))
    }

    /// Brings the schema up to date.
    pub(crate) async fn migrate(&self) -> anyhow::Result<()> {
        // as the owner: the program's role may not change the schema
        let pool = pool_options(1)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute(MIGRATING).await?;
                    Ok(())
                })
            })
            .connect(&self.url)
            .or_else(|error| cause(&self.url, error))
            .await
            .with_context(|| self.unreachable())?;
        desk::migrate(&pool).await.context("the schema can't be migrated")?;
        projections::MIGRATOR.run(&pool).await.context("the schema of the read models can't be migrated")?;
        #[cfg(feature = "planted-bugs")]
        eventstore::planted::install(&pool).await?;
        pool.close().await;
        Ok(())
    }

    fn unreachable(&self) -> Hinted {
        hinted(
            format!("the database {} can't be reached", redacted(&self.url)),
            "Check DATABASE_URL, or leave it unset for a private PostgreSQL.",
        )
    }

    pub(crate) async fn close(self) {
        if let Some(postgres) = self.private
            && let Err(error) = postgres.stop().await
        {
            tracing::warn!(%error, "the private PostgreSQL did not stop well");
        }
    }
}

fn pool_options(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        // one that was used just now is not tried again before each use: that is a round trip
        .test_before_acquire(false)
        .before_acquire(|connection, used| {
            Box::pin(async move {
                if used.idle_for > TRIED_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// A pool whose connections work as the program's role, with time-outs that end what hangs.
async fn connect(url: &str, connections: u32) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("docket");
    let setup = Options::default().on_connect(desk::SESSION_SQL).session_sql();
    pool_options(connections)
        .after_connect(move |connection, _| {
            let setup = setup.clone();
            Box::pin(async move {
                connection.execute(sqlx::AssertSqlSafe(setup)).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .or_else(|error| cause(url, error))
        .await
}

/// A pool tries again as long as nobody listens, and says in the end that it took too long. Why, one more try says.
async fn cause<T>(url: &str, error: sqlx::Error) -> Result<T, sqlx::Error> {
    if !matches!(error, sqlx::Error::PoolTimedOut) {
        return Err(error);
    }
    let again = timeout(Duration::from_secs(1), PgConnection::connect(url)).await;
    Err(again.ok().and_then(Result::err).unwrap_or(error))
}

/// Whether an error says that the database is not up yet, so that waiting helps. A wrong password, an unknown database, refused TLS do
/// not pass by themselves.
pub(crate) fn may_come_up(error: &anyhow::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput, PermissionDenied, Unsupported};
    let error = error.chain().find_map(|cause| cause.downcast_ref::<sqlx::Error>());
    match error {
        Some(sqlx::Error::PoolTimedOut) => true,
        // InvalidData: a certificate that is refused
        Some(sqlx::Error::Io(error)) => {
            !matches!(error.kind(), InvalidData | InvalidInput | PermissionDenied | Unsupported)
        }
        Some(sqlx::Error::Database(error)) => error.code().as_deref().is_some_and(|code| COMING_UP.contains(&code)),
        _ => false,
    }
}

/// `admin_shutdown`, `crash_shutdown`, `cannot_connect_now`, `too_many_connections`.
const COMING_UP: [&str; 4] = ["57P01", "57P02", "57P03", "53300"];

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn only_errors_that_pass_are_waited_for() {
        let io = |kind: ErrorKind| anyhow::Error::new(sqlx::Error::Io(Error::from(kind))).context("unreachable");
        for kind in [ErrorKind::ConnectionRefused, ErrorKind::NotFound, ErrorKind::TimedOut, ErrorKind::UnexpectedEof] {
            assert!(may_come_up(&io(kind)), "{kind}");
        }
        for kind in [ErrorKind::InvalidData, ErrorKind::PermissionDenied] {
            assert!(!may_come_up(&io(kind)), "{kind}");
        }
        assert!(!may_come_up(&anyhow::Error::new(sqlx::Error::Tls("refused".into()))));
        assert!(!may_come_up(&anyhow::anyhow!("anything else")));
    }
}
