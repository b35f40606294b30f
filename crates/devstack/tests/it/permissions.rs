use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use devstack::testing::temp_dir;
use devstack::{Durability, Nats, Postgres};

/// What other users may do with the folder or something in it, PostgreSQL's own files included.
fn open_to_others(dir: &Path) -> Vec<String> {
    let mut open = Vec::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(path) = pending.pop() {
        let found = path.symlink_metadata().unwrap();
        // as root the group is that of PostgreSQL's user, which passes through the folder
        let passage = nix::unistd::geteuid().is_root() && path == dir && found.mode() & 0o077 == 0o010;
        if found.mode() & 0o077 != 0 && !passage {
            open.push(format!("{:o} {}", found.mode() & 0o7777, path.display()));
        }
        if found.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    open
}

async fn run_both(dir: &Path) {
    let postgres = Postgres::start(dir, Durability::Fast).await.unwrap();
    let nats = Nats::start(dir).await.unwrap();
    assert_eq!(open_to_others(dir), Vec::<String>::new());
    drop((postgres, nats));
}

#[tokio::test]
async fn data_folder_is_closed_whatever_its_mode_was() {
    let outer = temp_dir();
    let dir = outer.path().join("data");
    run_both(&dir).await;
    // as a version before left it
    for name in ["nats.port", "nats.log", "postgres.log", "nats.lock", "nats.conf", "nats.passwords"] {
        fs::set_permissions(dir.join(name), Permissions::from_mode(0o644)).unwrap();
    }
    fs::write(dir.join("admin.key"), "secret").unwrap();
    for folder in [dir.clone(), dir.join("nats")] {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    }
    assert!(open_to_others(&dir).len() > 7);
    run_both(&dir).await;
}

#[tokio::test]
async fn folder_of_others_keeps_its_mode() {
    let outer = temp_dir();
    let dir = outer.path().join("project");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("notes.txt"), "mine").unwrap();
    fs::write(dir.join("admin.key"), "secret").unwrap();
    for path in [dir.clone(), dir.join("notes.txt"), dir.join("admin.key")] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    devstack::create_data_dir(&dir).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
    assert_eq!((mode(&dir), mode(&dir.join("notes.txt"))), (0o755, 0o755));
    assert_eq!(mode(&dir.join("admin.key")), 0o600);
}
