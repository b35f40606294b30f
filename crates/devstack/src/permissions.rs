//! Modes of files: only the owner reads what stands in the data folder, whatever the umask, also where an earlier version made it.
//!
//! The folder has mode 0700. Root is the exception: its PostgreSQL runs as another user, who has to pass through, so the folder belongs
//! to that user's group and has mode 0710.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, chown, geteuid};

use crate::error::{At as _, Error};
use crate::user::RunAs;

const OTHERS: u32 = 0o077;
const PRIVATE_FILE: u32 = 0o600;
const PRIVATE_DIR: u32 = 0o700;

/// Creates the data folder, or closes an existing one to other users, and returns its real path.
///
/// A folder that holds anything else (`--data-dir .`) keeps its own mode; only the files of Docket in it are closed.
pub fn create_data_dir(dir: &Path) -> Result<PathBuf, Error> {
    create_private_dir(dir)?;
    let dir = dir.canonicalize().at("enter", dir)?;
    let group = RunAs::unprivileged().ok().flatten().map(|user| user.gid);
    let mut ours = true;
    for entry in fs::read_dir(&dir).at("read", &dir)? {
        let entry = entry.at("read", &dir)?;
        if is_ours(&entry.file_name().to_string_lossy()) {
            close(&entry.path())?;
        } else {
            ours = false;
        }
    }
    close_data_dir(&dir, group, ours)?;
    Ok(dir)
}

/// Creates a folder of mode 0700, and those above it as usual.
pub(crate) fn create_private_dir(dir: &Path) -> Result<(), Error> {
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).at("create", parent)?;
    }
    match DirBuilder::new().mode(PRIVATE_DIR).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        made => made.at("create", dir),
    }
}

fn close_data_dir(dir: &Path, group: Option<u32>, ours: bool) -> Result<(), Error> {
    let found = dir.metadata().at("read", dir)?;
    let allowed = match group {
        Some(group) if found.uid() == 0 && ours => {
            if found.gid() != group {
                chown(dir, None, Some(Gid::from_raw(group))).map_err(Into::into).at("give to a group", dir)?;
            }
            PRIVATE_DIR | 0o010
        }
        _ => PRIVATE_DIR,
    };
    let mode = found.mode() & 0o7777;
    if mode == allowed || (mode & OTHERS == 0 && group.is_none()) {
        return Ok(());
    }
    if ours && (found.uid() == geteuid().as_raw() || geteuid().is_root()) {
        return fs::set_permissions(dir, Permissions::from_mode(allowed)).at("close to other users", dir);
    }
    tracing::warn!(dir = %dir.display(), mode = format!("{mode:o}"), "the data folder holds other files too, or is another user's: its mode stays; choose a folder of Docket's own");
    Ok(())
}

/// The names of what Docket and its servers make in the data folder.
fn is_ours(name: &str) -> bool {
    let is_server =
        |server: &str| name.strip_prefix(server).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    is_server("postgres") || is_server("nats") || is_server("admin") || is_server("endpoints")
}

/// Takes all rights from other users. PostgreSQL sees to its own data, which may be another user's.
fn close(path: &Path) -> Result<(), Error> {
    let found = path.symlink_metadata().at("read", path)?;
    if found.is_symlink() || (found.is_dir() && path.file_name().is_some_and(|name| name == "postgres")) {
        return Ok(());
    }
    if found.mode() & OTHERS != 0 {
        let mode = if found.is_dir() { PRIVATE_DIR } else { PRIVATE_FILE };
        fs::set_permissions(path, Permissions::from_mode(mode)).at("close to other users", path)?;
    }
    if found.is_dir() {
        for entry in fs::read_dir(path).at("read", path)? {
            close(&entry.at("read", path)?.path())?;
        }
    }
    Ok(())
}

/// Options that create a file which only its owner may read and write.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = File::options();
    options.create(true).mode(PRIVATE_FILE);
    options
}

/// Replaces a file by one that only its owner may read; whole or not at all.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::remove_file(&new).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
    let mut file = private_file().write(true).create_new(true).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)
}
