//! A small disk of a server's own, to be filled: a tmpfs, which only root can mount.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::stores::run;

/// A folder, perhaps on a disk of its own.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    megabytes: u32,
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
        Ok(Self { path, megabytes, missing })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves no room, until what it gives back is dropped: the disk is made as small as what is on it.
    pub(crate) async fn fill(&self) -> Result<Filled> {
        let filled = Filled { path: self.path.clone(), megabytes: self.megabytes };
        for _ in 0..20 {
            let disk = nix::sys::statvfs::statvfs(&self.path)?;
            let kilobytes = (disk.blocks() - disk.blocks_free()) * disk.fragment_size() / 1024;
            let size = format!("remount,size={}k", kilobytes.max(4));
            // others write meanwhile: it can't be smaller than what is there
            if run("mount", &["-o".as_ref(), size.as_ref(), self.path.as_os_str()]).await.is_ok() {
                return Ok(filled);
            }
        }
        bail!("the disk can't be filled")
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
pub(crate) struct Filled {
    path: PathBuf,
    megabytes: u32,
}

impl Drop for Filled {
    fn drop(&mut self) {
        let size = format!("remount,size={}m", self.megabytes);
        std::process::Command::new("mount").args(["-o", &size]).arg(&self.path).status().ok();
    }
}
