//! A `docket serve` of the checker's: started, armed, stopped, and started again by itself, as a supervisor would.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::proxy::Proxy;

/// How a process is started.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) program: PathBuf,
    /// `FAILPOINTS` from the beginning: the planted bug.
    pub(crate) planted: String,
    pub(crate) nats_url: String,
}

/// One process, by name.
#[derive(Debug)]
pub(crate) struct Docket {
    pub(crate) name: &'static str,
    roles: &'static str,
    setup: Setup,
    dir: PathBuf,
    port: u16,
    pub(crate) postgres: Proxy,
    pub(crate) nats: Proxy,
    child: tokio::sync::Mutex<Option<Child>>,
    pid: Mutex<Option<Pid>>,
    last_exit: Mutex<Option<ExitStatus>>,
    exits: AtomicU64,
    /// What the next start adds to `FAILPOINTS`.
    next: Mutex<String>,
}

impl Docket {
    pub(crate) fn new(
        name: &'static str,
        roles: &'static str,
        setup: Setup,
        dir: &Path,
        (postgres, nats): (Proxy, Proxy),
    ) -> Result<Self> {
        let dir = dir.join(name);
        std::fs::create_dir_all(&dir)?;
        // free now; nobody else on this machine is given it soon
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        Ok(Self {
            name,
            roles,
            setup,
            dir,
            port,
            postgres,
            nats,
            child: tokio::sync::Mutex::default(),
            pid: Mutex::default(),
            last_exit: Mutex::default(),
            exits: AtomicU64::new(0),
            next: Mutex::default(),
        })
    }

    pub(crate) fn has_api(&self) -> bool {
        self.roles.contains("api")
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn admin_key(&self) -> Option<String> {
        Some(std::fs::read_to_string(self.dir.join("data/admin.key")).ok()?.trim().to_owned())
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.dir.join("docket.log")
    }

    /// The program, told where everything is; for the other commands too.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.setup.program);
        command
            .current_dir(&self.dir)
            .env("DATABASE_URL", format!("postgres://postgres@127.0.0.1:{}/docket", self.postgres.port()))
            .env("NATS_URL", &self.setup.nats_url)
            .env("DOCKET_DATA_DIR", self.dir.join("data"))
            .env("DOCKET_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("DOCKET_LOG_FORMAT", "text")
            .env("DOCKET_RATE_LIMIT", "off")
            .env_remove("DOCKET_CONFIG")
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .stdin(Stdio::null());
        command
    }

    async fn start(&self) -> Result<()> {
        let mut child = self.child.lock().await;
        std::fs::create_dir_all(self.dir.join("data"))?;
        std::fs::remove_file(self.armory()).ok();
        let log = File::options().create(true).append(true).open(self.log_path())?;
        let next = std::mem::take(&mut *self.next.lock().unwrap_or_else(PoisonError::into_inner));
        let started = self
            .command()
            .args(["serve", "--roles", self.roles])
            .env("FAILPOINTS", [self.setup.planted.as_str(), &next].join(";").trim_matches(';'))
            .env("DOCKET_FAILPOINTS_FILE", self.armory())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} can't be started", self.setup.program.display()))?;
        let pid = started.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
        *self.pid.lock().unwrap_or_else(PoisonError::into_inner) = pid;
        *child = Some(started);
        Ok(())
    }

    /// Keeps it running.
    pub(crate) async fn supervise(self: Arc<Self>) -> Result<()> {
        loop {
            self.start().await?;
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let mut child = self.child.lock().await;
                let ended = child.as_mut().and_then(|child| child.try_wait().ok().flatten());
                if let Some(status) = ended {
                    *self.last_exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
                    self.exits.fetch_add(1, Ordering::Relaxed);
                    break;
                }
            }
            // what systemd or an orchestrator would wait at the least
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Ends it for good: nobody supervises it any more.
    pub(crate) async fn end(&self) {
        if let Some(mut child) = self.child.lock().await.take() {
            child.kill().await.ok();
        }
    }

    /// How often it has ended.
    pub(crate) fn exits(&self) -> u64 {
        self.exits.load(Ordering::Relaxed)
    }

    pub(crate) fn last_exit(&self) -> Option<ExitStatus> {
        *self.last_exit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // the supervisor reaps only 50 ms after the end at the earliest, and never while this runs in between
        if let Some(pid) = *self.pid.lock().unwrap_or_else(PoisonError::into_inner) {
            kill(pid, signal).ok();
        }
    }

    /// What the process is to be told at its next start.
    pub(crate) fn at_next_start(&self, failpoints: &str) {
        failpoints.clone_into(&mut self.next.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn armory(&self) -> PathBuf {
        self.dir.join("failpoints")
    }

    /// Arms a failpoint of the running process, or disarms it (`off`).
    pub(crate) fn arm(&self, failpoint: &str, action: &str) -> Result<()> {
        let new = self.armory().with_extension("new");
        std::fs::write(&new, format!("{failpoint}={action}\n"))?;
        Ok(std::fs::rename(new, self.armory())?)
    }

    /// What it says of itself.
    pub(crate) async fn readiness(&self, http: &reqwest::Client) -> Option<Value> {
        let get = http.get(format!("{}/health/readiness", self.url())).timeout(Duration::from_secs(3));
        get.send().await.ok()?.error_for_status().ok()?.json().await.ok()
    }

    /// Whether its relay publishes.
    pub(crate) async fn relays(&self, http: &reqwest::Client) -> bool {
        let said = self.readiness(http).await;
        said.is_some_and(|said| matches!(said["relay"]["state"].as_str(), Some("live" | "filling")))
    }
}
