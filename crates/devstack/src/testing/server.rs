//! The server that all test processes of a run share; `testing.rs` tells how it ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::unistd::geteuid;
use tokio::sync::OnceCell;

use crate::error::{At as _, Error};
use crate::name::short_hash;
use crate::postgres::{initdb, postmaster, running, server_command, socket_url};
use crate::process::{log_tail, spawn_detached, works_in};
use crate::user::{RunAs, command, create_owned, is_owned};
use crate::{Durability, find};

const WATCHDOG: &str = include_str!("watchdog.sh");
/// Seconds without any test before the server ends.
const LINGER: &str = "60";
const PATIENCE: Duration = Duration::from_mins(1);

/// The URL of the administrator of the server tests run on.
pub(super) async fn admin_url() -> Result<String, Error> {
    static JOINED: OnceCell<String> = OnceCell::const_new();
    JOINED.get_or_try_init(join).await.cloned()
}

/// A folder in memory, if there is one with more than 1 GiB free.
pub(super) fn memory() -> Option<PathBuf> {
    let dir = PathBuf::from("/dev/shm");
    let space = nix::sys::statvfs::statvfs(&dir).ok()?;
    #[allow(clippy::useless_conversion, reason = "its type differs from platform to platform")]
    let free = u64::from(space.blocks_available()) * u64::from(space.fragment_size());
    (free > 1 << 30).then_some(dir)
}

async fn join() -> Result<String, Error> {
    if let Ok(url) = std::env::var("DOCKET_TEST_DATABASE_URL")
        && !url.is_empty()
    {
        return Ok(url);
    }
    let user = RunAs::unprivileged()?;
    let folder = folder();
    if !folder.exists() {
        // a race with another test is decided by the look that follows
        let _ = create_owned(user.as_ref(), &folder);
    }
    if !is_owned(user.as_ref(), &folder) {
        return Err(Error::Io {
            doing: format!("{} is not a folder of the test server's user alone", folder.display()),
            source: std::io::ErrorKind::PermissionDenied.into(),
        });
    }
    let server = Shared { data: folder.join("data"), folder, user };
    let path = server.folder.join("lock");
    let lock = tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).truncate(false).write(true).open(&path).at("open", &path)?;
        file.lock().at("lock", &path).map(|()| file)
    });
    let lock =
        lock.await.map_err(|error| Error::Io { doing: "can't wait for a lock".into(), source: error.into() })??;
    let url = server.join().await;
    drop(lock);
    url
}

/// Keyed by the user and by the workspace: the nearest folder above this test's package that holds a `Cargo.lock`.
fn folder() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).or_else(|| std::env::current_dir().ok());
    let package = package.unwrap_or_default();
    let workspace = package.ancestors().find(|dir| dir.join("Cargo.lock").exists()).unwrap_or(&package);
    let key = format!("{} {}", geteuid(), workspace.display());
    let base = memory().unwrap_or_else(std::env::temp_dir);
    // without links, so that what `/proc` says can be compared
    base.canonicalize().unwrap_or(base).join(format!("docket-test-{}", short_hash(key.as_bytes())))
}

struct Shared {
    folder: PathBuf,
    data: PathBuf,
    user: Option<RunAs>,
}

impl Shared {
    /// The caller holds the lock.
    async fn join(&self) -> Result<String, Error> {
        let url = socket_url(&self.folder, "postgres");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let running = running(&self.data);
            // no `users/` while a server runs: the watchdog is ending it, or about to think better of it
            if running.is_some() && self.register().is_ok() && postmaster(&self.data).is_some_and(|found| found.ready) {
                return Ok(url);
            }
            // the watchdog clears up after its server, and must not clear away the next one's data
            let watchdog = self.watchdog();
            let Some(pid) = running.or(watchdog) else {
                return self.start().await.map(|()| url);
            };
            if Instant::now() >= deadline {
                return Err(Error::AlreadyRunning { owner: "test server", pid, dir: self.data.clone() });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn register(&self) -> std::io::Result<()> {
        std::fs::write(self.folder.join("users").join(std::process::id().to_string()), "")
    }

    fn watchdog(&self) -> Option<u32> {
        let pid = std::fs::read_to_string(self.folder.join("watchdog")).ok()?.trim().parse().ok()?;
        works_in(pid, &self.folder).then_some(pid)
    }

    async fn start(&self) -> Result<(), Error> {
        let user = self.user.as_ref();
        let found = find::postgres(user, None).await?;
        for left in ["users", "over", "data"].map(|name| self.folder.join(name)) {
            if left.exists() {
                std::fs::remove_dir_all(&left).at("remove", &left)?;
            }
        }
        create_owned(user, &self.data)?;
        initdb(&found.dir, user, &self.data, Durability::Fast).await?;
        create_owned(user, &self.folder.join("users"))?;
        self.register().at("register in", &self.folder)?;
        let server =
            server_command(Command::new(found.dir.join("postgres")), &self.data, &self.folder, Durability::Fast);
        let mut watchdog = command(user, Path::new("/bin/sh"));
        watchdog.args(["-c", WATCHDOG, "docket-test-watchdog"]).arg(&self.folder).arg(LINGER);
        watchdog.arg(server.get_program()).args(server.get_args());
        let mut watchdog = spawn_detached(watchdog).at("start the test server in", &self.folder)?;
        let note = self.folder.join("watchdog");
        std::fs::write(&note, watchdog.id().to_string()).at("write", &note)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if running(&self.data).is_some() && postmaster(&self.data).is_some_and(|found| found.ready) {
                // not waited for: it outlives us; if it ends before us it waits for our end to be reaped
                return Ok(());
            }
            let ended = watchdog.try_wait().ok().flatten();
            if ended.is_some() || Instant::now() >= deadline {
                let log = self.folder.join("postgres.log");
                let state = ended.map_or("still starting".into(), |status| format!("its watchdog ended ({status})"));
                return Err(Error::NotReady { server: "postgres", state, log_tail: log_tail(&log), log });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
