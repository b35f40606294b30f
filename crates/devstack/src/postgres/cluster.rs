//! The data directory: making it, reading who runs on it, the command line of its server.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::Durability;
use crate::error::{At as _, Error};
use crate::process::{run, works_in};
use crate::user::{RunAs, command, create_owned};

/// The major version that wrote the data; none if there is no data yet.
pub(super) fn major(data: &Path) -> Result<Option<u32>, Error> {
    let file = data.join("PG_VERSION");
    if !data.exists() {
        return Ok(None);
    }
    let version = std::fs::read_to_string(&file).at("read", &file)?;
    let unreadable = || std::io::Error::other(format!("{version:?} is no version of PostgreSQL"));
    version.trim().parse().map(Some).map_err(|_| unreadable()).at("read", &file)
}

/// Fills a folder beside the data and renames it when it is complete: half a cluster would never start.
pub(super) async fn create(bin: &Path, user: Option<&RunAs>, data: &Path, durability: Durability) -> Result<(), Error> {
    let unfinished = data.with_extension("tmp");
    if unfinished.exists() {
        tracing::info!(dir = %unfinished.display(), "an interrupted initdb: beginning anew");
        std::fs::remove_dir_all(&unfinished).at("remove", &unfinished)?;
    }
    create_owned(user, &unfinished)?;
    initdb(bin, user, &unfinished, durability).await?;
    std::fs::rename(&unfinished, data).at("rename to its place", &unfinished)?;
    let parent = data.parent().unwrap_or(data);
    // initdb has flushed the files; the new name is the folder's
    File::open(parent).and_then(|dir| dir.sync_all()).at("flush", parent)
}

/// Fills an empty folder of the server's user.
pub(crate) async fn initdb(bin: &Path, user: Option<&RunAs>, dir: &Path, durability: Durability) -> Result<(), Error> {
    let mut stderr = String::new();
    // not every system knows the first
    for locale in ["C.UTF-8", "C"] {
        let program = bin.join("initdb");
        let mut initdb = command(user, &program);
        initdb
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-instructions", "--locale", locale])
            .arg("-D")
            .arg(dir);
        if durability == Durability::Fast {
            initdb.arg("--no-sync");
        }
        let output = run(initdb, Duration::from_mins(2)).await.at("run", &program)?;
        if output.status.success() {
            return Ok(());
        }
        stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        if !stderr.contains("locale") {
            break;
        }
    }
    Err(Error::Initdb { dir: dir.to_owned(), stderr: stderr.trim().to_owned() })
}

/// Completes the command that starts a server on this data.
pub(crate) fn server_command(mut server: Command, data: &Path, socket: &Path, durability: Durability) -> Command {
    server.arg("-D").arg(data).arg("-k").arg(socket).args(["-p", "5432"]);
    let common = [
        "listen_addresses=",
        // what fails is told to the client; the log is for what becomes of the server
        "log_min_messages=log",
        "log_checkpoints=off",
        "logging_collector=off",
    ];
    let shared_buffers = format!("shared_buffers={}MB", shared_buffers());
    let durable = ["max_connections=300", &shared_buffers];
    let fast =
        ["max_connections=300", "shared_buffers=128MB", "fsync=off", "synchronous_commit=off", "full_page_writes=off"];
    let particular = match durability {
        Durability::Durable => &durable[..],
        Durability::Fast => &fast[..],
    };
    for setting in common.iter().chain(particular) {
        server.args(["-c", setting]);
    }
    server
}

/// PostgreSQL's own memory, in MiB: an eighth of the machine's, for it is not alone here. It is taken as it is needed.
fn shared_buffers() -> u64 {
    #[cfg(target_os = "linux")]
    let memory = nix::sys::sysinfo::sysinfo().map_or(0, |info| info.ram_total() >> 20);
    #[cfg(not(target_os = "linux"))]
    let memory = 0;
    (memory / 8).clamp(256, 1_024)
}

/// How full-page images in the write-ahead log are compressed: by LZ4 where the server was built with it, which costs a
/// fraction of its own `pglz`.
pub(super) fn wal_compression(mut server: Command, data: &Path) -> &'static str {
    server.arg("-D").arg(data).args(["-C", "wal_compression", "-c", "wal_compression=lz4"]);
    let has_lz4 = server.output().is_ok_and(|output| output.status.success());
    if has_lz4 { "wal_compression=lz4" } else { "wal_compression=on" }
}

pub(crate) struct Postmaster {
    pub(crate) pid: u32,
    pub(crate) ready: bool,
}

/// What `postmaster.pid` says, be it true or left behind.
pub(crate) fn postmaster(data: &Path) -> Option<Postmaster> {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let mut lines = text.lines();
    let pid = lines.next()?.trim().parse().ok()?;
    Some(Postmaster { pid, ready: lines.nth(6).is_some_and(|status| status.trim() == "ready") })
}

/// The id of the server that really runs on this data.
pub(crate) fn running(data: &Path) -> Option<u32> {
    let pid = postmaster(data)?.pid;
    works_in(pid, data).then_some(pid)
}

/// The lock is ours, so whoever still runs here is shutting down, or was started by hand. A file left behind by a server that is
/// gone goes away: its number may be another process's by now, which PostgreSQL would take for a server.
pub(super) async fn wait_for_orphan(data: &Path) -> Result<(), Error> {
    let deadline = Instant::now() + Duration::from_secs(15);
    while let Some(pid) = running(data) {
        if Instant::now() >= deadline {
            return Err(Error::AlreadyRunning { owner: "postgres", pid, dir: data.to_owned() });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stale = data.join("postmaster.pid");
    match std::fs::remove_file(&stale) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).at("remove", &stale),
        _ => Ok(()),
    }
}
