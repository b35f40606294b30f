//! A private PostgreSQL server.

mod cluster;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

pub(crate) use cluster::{initdb, postmaster, running, server_command};

use crate::data_dir::{DataDir, lock, socket_folder};
use crate::error::{At as _, Error};
use crate::find;
use crate::name::{percent_encoded, quoted};
use crate::process::{Farewell, Process, log_tail};
use crate::user::command;

/// Fast shutdown, then immediate.
const FAREWELL: Farewell = &[(Signal::SIGINT, Duration::from_secs(10)), (Signal::SIGQUIT, Duration::from_secs(5))];
/// Recovery after a crash replays up to about `max_wal_size` before the server is ready.
const PATIENCE: Duration = Duration::from_mins(2);

/// What survives a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Everything committed.
    Durable,
    /// Nothing: `fsync`, `synchronous_commit` and `full_page_writes` are off. For tests; what is committed does survive the end of
    /// the server's process.
    Fast,
}

/// A running private PostgreSQL server, listening on a unix socket only. Dropping it stops it, and blocks for as long as that
/// takes: `SIGINT`, after 10 s `SIGQUIT`.
pub struct Postgres {
    process: Process,
    data: PathBuf,
    bin: PathBuf,
    socket: PathBuf,
    /// Keeps another Docket off the data.
    _lock: File,
}

impl Postgres {
    /// Starts a server whose data stands in `data_dir/postgres`, made on first use, and waits until it takes connections.
    ///
    /// As root the server runs as user `postgres` or `nobody`, or as the owner of existing data. If that user can't enter `data_dir`,
    /// the data goes to a folder of its own in `/var/lib/docket`, and `data_dir/postgres.location` says which.
    pub async fn start(data_dir: &Path, durability: Durability) -> Result<Postgres, Error> {
        let DataDir { root, user } = DataDir::choose(data_dir)?;
        let data = root.join("postgres");
        let lock = lock(&root.join("postgres.lock"), &data).await?;
        let found = find::postgres(user.as_ref(), cluster::major(&data)?.map(|major| (major, data.as_path()))).await?;
        if !data.exists() {
            cluster::create(&found.dir, user.as_ref(), &data, durability).await?;
        }
        cluster::wait_for_orphan(&data).await?;
        let socket = socket_folder(user.as_ref(), &data)?;
        let log = root.join("postgres.log");
        let program = || command(user.as_ref(), &found.dir.join("postgres"));
        let mut server = server_command(program(), &data, &socket, durability);
        server.args(["-c", cluster::wal_compression(program(), &data)]);
        let process = spawn(server, &log, &lock).await?;
        let postgres = Postgres { process, data, bin: found.dir, socket, _lock: lock };
        postgres.wait_ready(&log).await?;
        tracing::debug!(pid = postgres.pid(), major = found.major, data = %postgres.data.display(), "PostgreSQL is ready");
        Ok(postgres)
    }

    /// The URL of a database on it, for sqlx, psql and everything on libpq; it stays the same from start to start.
    pub fn url(&self, database: &str) -> String {
        socket_url(&self.socket, database)
    }

    /// Creates the database if it is absent.
    pub async fn ensure_database(&self, name: &str) -> Result<(), Error> {
        let doing = || format!("create the database {name}");
        let refused = |source| Error::Database { doing: doing(), source };
        let mut admin = PgConnection::connect(&self.url("postgres")).await.map_err(refused)?;
        let there = sqlx::query("select 1 from pg_database where datname = $1").bind(name);
        if there.fetch_optional(&mut admin).await.map_err(refused)?.is_none() {
            let create = format!("create database {}", quoted(name));
            match sqlx::query(AssertSqlSafe(create)).execute(&mut admin).await {
                // somebody else was faster
                Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42P04" | "23505")) => {}
                Err(error) => return Err(refused(error)),
                Ok(_) => {}
            }
        }
        admin.close().await.map_err(refused)
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Where the data really stands: not below the folder given to [`Postgres::start`] if root had to fall back.
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// The folder of its programs; `psql` and `pg_dump` may be among them.
    pub fn bin_dir(&self) -> &Path {
        &self.bin
    }

    /// Waits until the server's process has ended, by itself or by another's hand. To start it again, drop this first.
    pub async fn exited(&self) -> ExitStatus {
        self.process.exited().await
    }

    /// Stops it as dropping it does, without blocking the thread.
    pub async fn stop(self) -> Result<(), Error> {
        let stopped = tokio::task::spawn_blocking(move || drop(self)).await;
        stopped
            .map_err(|error| Error::Io { doing: "can't stop PostgreSQL".into(), source: std::io::Error::other(error) })
    }

    async fn wait_ready(&self, log: &Path) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ready = postmaster(&self.data).is_some_and(|found| found.ready && found.pid == self.pid());
            let state = match self.process.ended() {
                None if ready => return Ok(()),
                None if Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
                None => format!("still starting after {} s", PATIENCE.as_secs()),
                Some(status) => format!("it ended ({status})"),
            };
            return Err(Error::NotReady { server: "postgres", state, log: log.to_owned(), log_tail: log_tail(log) });
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.process.stop();
        let _ = std::fs::remove_dir_all(&self.socket);
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("pid", &self.pid()).field("data", &self.data).finish_non_exhaustive()
    }
}

async fn spawn(server: Command, log: &Path, lock: &File) -> Result<Process, Error> {
    let program = PathBuf::from(server.get_program());
    Process::spawn(server, log, lock, FAREWELL).await.at("start", &program)
}

/// The port is named because PGPORT would decide otherwise; the host before the path is not used.
pub(crate) fn socket_url(socket: &Path, database: &str) -> String {
    let socket = percent_encoded(&socket.to_string_lossy());
    format!("postgres://postgres@localhost:5432/{}?host={socket}", percent_encoded(database))
}
