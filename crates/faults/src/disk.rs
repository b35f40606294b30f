//! A small disk of a server's own, to be filled: a tmpfs, which only root can mount.

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::stores::run;

/// A folder, perhaps on a disk of its own.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    /// Why there is none.
    pub(crate) missing: Option<String>,
}

impl Disk {
    /// Mounts one, or makes a plain folder and remembers why.
    pub(crate) async fn mount(path: PathBuf, megabytes: u32) -> Result<Self> {
        std::fs::create_dir_all(&path)?;
        let options = format!("size={megabytes}m,mode=0711");
        let arguments = ["-t", "tmpfs", "-o", &options, "docket-faults"];
        let arguments: Vec<_> = arguments.iter().map(std::ffi::OsStr::new).chain([path.as_os_str()]).collect();
        let mounted = run("mount", &arguments).await;
        // the server's user must get through
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o711))?;
        let missing = mounted.err().map(|error| format!("no small disk could be mounted ({error})"));
        Ok(Self { path, missing })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes all that is free, until what it gives back is dropped.
    pub(crate) fn fill(&self) -> Result<Filled> {
        let filled = Filled(self.path.join("filler"));
        let file = File::create(&filled.0)?;
        let mut taken = 0;
        // others take from it meanwhile: what fails is tried again with less
        for shift in 0..20 {
            let free = nix::sys::statvfs::statvfs(&self.path)?;
            let free = i64::try_from(free.blocks_available() * free.fragment_size())? >> (shift / 4);
            if free > 0 && nix::fcntl::posix_fallocate(&file, taken, free).is_ok() {
                taken += free;
            }
        }
        ensure!(taken > 0, "the disk can't be filled");
        Ok(filled)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.missing.is_none() {
            std::process::Command::new("umount").arg("-l").arg(&self.path).status().ok();
        }
    }
}

/// A disk without room.
#[derive(Debug)]
pub(crate) struct Filled(PathBuf);

impl Drop for Filled {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}
