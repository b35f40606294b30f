//! The server under attack: a release build of `docket serve` with a PostgreSQL and a NATS of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub(crate) struct Server {
    child: Child,
    program: PathBuf,
    dir: devstack::testing::TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) database: String,
}

impl Server {
    pub(crate) fn start(program: &Path) -> Result<Self> {
        ensure!(program.exists(), "there is no {}: cargo build --release", program.display());
        let program = program.canonicalize()?;
        let dir = devstack::testing::temp_dir();
        let log = std::fs::File::create(dir.path().join("server.log"))?;
        let mut child = docket(&program, dir.path()).arg("serve").stdout(log.try_clone()?).stderr(log).spawn()?;
        let told = match endpoints(dir.path(), &mut child) {
            Ok(told) => told,
            Err(error) => {
                child.kill().ok();
                let log = std::fs::read_to_string(dir.path().join("server.log")).unwrap_or_default();
                return Err(error.context(log));
            }
        };
        let member = |name: &str| told[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
        let address = member("api")?.trim_start_matches("http://").parse()?;
        Ok(Self { child, program, dir, address, database: member("database")? })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A new key.
    pub(crate) fn key(&self, name: &str) -> Result<String> {
        Ok(self.run(&["keys", "create", "--role", "admin", "--name", name])?.trim().to_owned())
    }

    /// What another command of the program prints; an error if it fails.
    pub(crate) fn run(&self, args: &[&str]) -> Result<String> {
        let output = docket(&self.program, self.dir.path()).args(args).output()?;
        ensure!(output.status.success(), "docket {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Memory that it has, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0)
    }

    /// The time of processors that it has used.
    pub(crate) fn busy(&self) -> Duration {
        busy(&self.child.id().to_string())
    }
}

/// The time of processors that a process has used.
pub(crate) fn busy(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // after the name, which stands in parentheses: the 12th and the 13th
    let fields = stat.rsplit_once(") ").map(|(_, rest)| rest.split(' ').collect::<Vec<_>>()).unwrap_or_default();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    // a hundred a second, on every Linux there is
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

impl Drop for Server {
    fn drop(&mut self) {
        // in order, so that what it keeps running ends, too
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap_or(i32::MAX));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).ok();
        let deadline = Instant::now() + Duration::from_secs(40);
        while self.is_running() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn docket(program: &Path, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir).env("DOCKET_LISTEN", "127.0.0.1:0").stdin(Stdio::null());
    // as a new user starts it, whatever is configured here
    for (name, _) in std::env::vars_os() {
        let of_docket = name.to_str().is_some_and(|name| name.starts_with("DOCKET_") && !name.ends_with("_BIN"));
        if (of_docket && name != "DOCKET_LISTEN") || name == "DATABASE_URL" || name == "NATS_URL" {
            command.env_remove(name);
        }
    }
    command
}

fn endpoints(dir: &Path, child: &mut Child) -> Result<Value> {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Ok(text) = std::fs::read(dir.join(".docket/endpoints.json")) {
            return Ok(serde_json::from_slice(&text)?);
        }
        ensure!(child.try_wait()?.is_none(), "the server ended at its start");
        ensure!(Instant::now() < deadline, "the server does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
}
