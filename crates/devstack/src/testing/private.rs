use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::server::memory;
use crate::name::unique;
use crate::{Durability, Nats, Postgres};

/// A folder that is removed when this is dropped. Drop the server in it first.
#[derive(Debug)]
pub struct TempDir(PathBuf);

/// A folder of this test alone, which a server's user can enter.
pub fn temp_dir() -> TempDir {
    TempDir::create(&std::env::temp_dir())
}

impl TempDir {
    fn create(base: &Path) -> TempDir {
        let dir = base.join(unique("docket-private-"));
        let made = std::fs::create_dir(&dir)
            // the server's user must get through, when that is not ours
            .and_then(|()| std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o711)));
        assert!(made.is_ok(), "can't create {}: {made:?}", dir.display());
        TempDir(dir)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A PostgreSQL server of this test alone, for tests that kill it. Bind the folder before the server (`let (dir, postgres) = …`), so
/// that the server is dropped first.
pub async fn private_postgres(durability: Durability) -> (TempDir, Postgres) {
    let base = match durability {
        Durability::Durable => std::env::temp_dir(),
        Durability::Fast => memory().unwrap_or_else(std::env::temp_dir),
    };
    let dir = TempDir::create(&base);
    let postgres = ready(Postgres::start(dir.path(), durability).await);
    (dir, postgres)
}

/// A NATS server of this test alone; see [`private_postgres`] for the order.
pub async fn private_nats() -> (TempDir, Nats) {
    let dir = temp_dir();
    let nats = ready(Nats::start(dir.path()).await);
    (dir, nats)
}

#[expect(clippy::panic, reason = "without its server a test can only fail")]
fn ready<T>(started: Result<T, crate::Error>) -> T {
    started.unwrap_or_else(|error| panic!("{}", super::database::with_sources(&error)))
}
