//! The user a server runs as. PostgreSQL refuses root, so root must choose another.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User, chown, geteuid};

use crate::error::{At as _, Error};

/// A user to change to; only root can, so it exists only as root.
#[derive(Clone, Debug)]
pub(crate) struct RunAs {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl RunAs {
    /// `postgres`, else `nobody`, if this process is root; `None`, meaning oneself, if it is not.
    pub(crate) fn unprivileged() -> Result<Option<RunAs>, Error> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        for name in ["postgres", "nobody"] {
            if let Ok(Some(user)) = User::from_name(name) {
                return Ok(Some(RunAs { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }));
            }
        }
        Err(Error::PostgresNotFound {
            reason: "it does not run as root, and there is no user `postgres` or `nobody` to run it as".into(),
        })
    }

    /// The owner of an existing data directory: an ordinary user's data stays theirs when root starts it once.
    pub(crate) fn owner_of(dir: &Path) -> Option<RunAs> {
        let owner = dir.symlink_metadata().ok()?;
        if !geteuid().is_root() || owner.uid() == 0 {
            return None;
        }
        let name = User::from_uid(Uid::from_raw(owner.uid())).ok().flatten();
        Some(RunAs {
            name: name.map_or_else(|| owner.uid().to_string(), |user| user.name),
            uid: owner.uid(),
            gid: owner.gid(),
        })
    }

    fn own(&self, dir: &Path) -> Result<(), Error> {
        chown(dir, Some(Uid::from_raw(self.uid)), Some(self.gid.into()))
            .map_err(Into::into)
            .at("give to the server's user the folder", dir)
    }
}

/// Creates a folder of mode 0700 that belongs to the server's user.
pub(crate) fn create_owned(user: Option<&RunAs>, dir: &Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(dir).at("create", dir)?;
    user.map_or(Ok(()), |user| user.own(dir))
}

/// A folder of mode 0700 of the server's user, and no link to one: in `/tmp` anyone may have made what we find there.
pub(crate) fn is_owned(user: Option<&RunAs>, dir: &Path) -> bool {
    let uid = user.map_or_else(|| geteuid().as_raw(), |user| user.uid);
    dir.symlink_metadata().is_ok_and(|found| found.is_dir() && found.uid() == uid && found.mode() & 0o777 == 0o700)
}

/// A command that will run as the server's user, in a folder that everyone can enter (ours may be closed to that user), with
/// nothing of our own connection settings in its environment.
pub(crate) fn command(user: Option<&RunAs>, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PG") {
            command.env_remove(name);
        }
    }
    if let Some(user) = user {
        // std drops the supplementary groups when root sets a uid: root's would stay otherwise
        command.gid(user.gid).uid(user.uid).env_remove("HOME");
    }
    command
}

/// Tries rather than reading modes: access lists and mounts have their say too.
pub(crate) fn can_enter(user: Option<&RunAs>, dir: &Path) -> bool {
    // std changes the folder after the user
    let mut shell = command(user, Path::new("/bin/sh"));
    shell.args(["-c", ":"]).current_dir(dir).stdout(Stdio::null()).stderr(Stdio::null());
    shell.status().is_ok_and(|status| status.success())
}
