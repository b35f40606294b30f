//! The data directory, the lock that keeps a second Docket off it, and the directory of the socket.

use std::fs::{File, Permissions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{At as _, Error};
use crate::name::{short_hash, unique};
use crate::permissions::{create_data_dir, private_file, write_private};
use crate::process::{alive, interrupt};
use crate::user::{RunAs, can_enter, create_owned, is_owned};

/// Where root's data goes if the unprivileged user can't enter the folder asked for.
const FALLBACK: &str = "/var/lib/docket";
/// `sun_path` has 108 bytes on Linux and 104 on macOS; the socket's own name and a NUL go into it too.
const SOCKET_FOLDER_LIMIT: usize = 104 - "/.s.PGSQL.5432\0".len();

/// The directory that holds `postgres/`, and the user who runs the server on it.
pub(crate) struct DataDir {
    pub(crate) root: PathBuf,
    pub(crate) user: Option<RunAs>,
}

impl DataDir {
    pub(crate) fn choose(data_dir: &Path) -> Result<DataDir, Error> {
        let root = create_data_dir(data_dir)?;
        let Some(unprivileged) = RunAs::unprivileged()? else {
            return Ok(DataDir { root, user: None });
        };
        let pointer = root.join("postgres.location");
        let root = match std::fs::read_to_string(&pointer) {
            // ours only if it points where we put things
            Ok(place) if Path::new(place.trim()).parent() == Some(Path::new(FALLBACK)) => PathBuf::from(place.trim()),
            _ if root.join("postgres").exists() || can_enter(Some(&unprivileged), &root) => root,
            _ => fall_back(&root, &pointer, &unprivileged)?,
        };
        let user = RunAs::owner_of(&root.join("postgres")).unwrap_or(unprivileged);
        if can_enter(Some(&user), &root) {
            Ok(DataDir { root, user: Some(user) })
        } else {
            Err(Error::Unreachable { user: user.name, dir: root })
        }
    }
}

fn fall_back(asked: &Path, pointer: &Path, user: &RunAs) -> Result<PathBuf, Error> {
    let dir = Path::new(FALLBACK).join(short_hash(asked.as_os_str().as_encoded_bytes()));
    std::fs::create_dir_all(FALLBACK).at("create", Path::new(FALLBACK))?;
    // root's umask may be 077
    std::fs::set_permissions(FALLBACK, Permissions::from_mode(0o711))
        .at("open to the server's user", Path::new(FALLBACK))?;
    let dir = create_data_dir(&dir)?;
    write_private(pointer, format!("{}\n", dir.display()).as_bytes()).at("write", pointer)?;
    tracing::info!(user = user.name, asked = %asked.display(), dir = %dir.display(), "the server's user can't enter the folder asked for: the data goes elsewhere");
    Ok(dir)
}

/// Takes the lock of a server's data. The server holds it too ([`crate::process::Process::spawn`]): after a `kill -9` of Docket it
/// is free once the orphan has stopped, which is waited for; where no parent-death signal told it to stop, it is told here.
pub(crate) async fn lock(file: &Path, dir: &Path) -> Result<File, Error> {
    let mut lock = private_file().truncate(false).read(true).write(true).open(file).at("open the lock", file)?;
    let (mut told, start) = (false, Instant::now());
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(source)) => return Err(source).at("lock", file),
            Err(TryLockError::WouldBlock) => {}
        }
        let (docket, server) = lock_holders(&mut lock);
        let docket_lives = docket.is_some_and(alive);
        let ours = docket == Some(std::process::id());
        if (docket_lives && !ours) || start.elapsed() > Duration::from_secs(15) {
            let (owner, pid) = if docket_lives { ("docket", docket) } else { ("docket's server, left behind", server) };
            return Err(Error::AlreadyRunning { owner, pid: pid.unwrap_or(0), dir: dir.to_owned() });
        }
        if let (false, false, Some(server)) = (docket_lives, told, server)
            && start.elapsed() > Duration::from_secs(1)
        {
            interrupt(server);
            told = true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    lock.set_len(0)
        .and_then(|()| lock.rewind())
        .and_then(|()| writeln!(lock, "{}", std::process::id()))
        .at("write", file)?;
    Ok(lock)
}

/// The process ids in the lock's file: Docket's and the server's.
fn lock_holders(lock: &mut File) -> (Option<u32>, Option<u32>) {
    let mut text = String::new();
    let _ = lock.rewind().and_then(|()| lock.read_to_string(&mut text));
    let mut pids = text.lines().map(|line| line.parse().ok());
    // the last: more than one may have been tried under this lock
    (pids.next().flatten(), pids.next_back().flatten())
}

/// A short folder for the socket, the same for the same data, so that a URL stays valid from start to start. Not in
/// `XDG_RUNTIME_DIR`: that goes away when its user logs out, and a server left running would be out of reach.
pub(crate) fn socket_folder(user: Option<&RunAs>, data: &Path) -> Result<PathBuf, Error> {
    let name = format!("docket-{}", short_hash(data.as_os_str().as_encoded_bytes()));
    let fits =
        |base: &PathBuf| base.is_absolute() && base.is_dir() && base.as_os_str().len() + 40 < SOCKET_FOLDER_LIMIT;
    let bases = [std::env::temp_dir(), PathBuf::from("/tmp")];
    let mut refused = None;
    for base in bases.into_iter().filter(fits) {
        // the second name is for when somebody else made the first
        for dir in [base.join(&name), base.join(unique("docket-"))] {
            match create_owned(user, &dir) {
                Ok(()) => return Ok(dir),
                Err(_) if is_owned(user, &dir) => return Ok(dir),
                Err(error) => refused = Some(error),
            }
        }
    }
    Err(refused.unwrap_or_else(|| Error::Io {
        doing: "can't find a folder with a path short enough for a socket".into(),
        source: std::io::ErrorKind::NotFound.into(),
    }))
}
