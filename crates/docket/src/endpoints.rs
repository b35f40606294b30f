//! `endpoints.json` in the data folder: where a running server is, for other commands and scripts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where everything is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    /// The URL of the API.
    pub(crate) api: String,
    /// The URL of the database.
    pub(crate) database: String,
    /// The URL of the broker; none as long as nothing is published.
    pub(crate) nats: Option<String>,
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("endpoints.json")
}

impl Endpoints {
    pub(crate) fn read(data_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path(data_dir)).ok()?).ok()
    }

    /// Written whole or not at all: a reader never sees half of it.
    pub(crate) fn write(&self, data_dir: &Path) -> io::Result<()> {
        write_private(&path(data_dir), &serde_json::to_vec_pretty(self)?)
    }
}

/// Writes a file that only its owner may read: it may hold a secret.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let new = path.with_extension("new");
    fs::remove_file(&new).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)
}
