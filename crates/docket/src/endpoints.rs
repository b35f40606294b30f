//! `endpoints.json` in the data folder: where a running server is, for other commands and scripts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use devstack::write_private;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::relay::Urls;

/// The URLs of a running server. They hold passwords: the file is its owner's alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Endpoints {
    pub(crate) api: String,
    pub(crate) database: String,
    /// The broker, for subscribers; absent while there is none.
    pub(crate) nats: Option<String>,
    /// The private broker, for its administrator, who may delete the stream.
    pub(crate) nats_admin: Option<String>,
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("endpoints.json")
}

impl Endpoints {
    pub(crate) fn read(data_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path(data_dir)).ok()?).ok()
    }

    /// With these URLs of the broker.
    pub(crate) fn with_broker(self, urls: Option<Urls>, config: &Config) -> Self {
        let admin = urls.as_ref().filter(|_| config.nats_url.is_none()).map(|urls| urls.owner.clone());
        Self { nats: urls.map(|urls| urls.subscriber), nats_admin: admin, ..self }
    }

    /// Written whole or not at all: a reader never sees half of it.
    pub(crate) fn write(&self, data_dir: &Path) -> io::Result<()> {
        write_private(&path(data_dir), &serde_json::to_vec_pretty(self)?)
    }
}
