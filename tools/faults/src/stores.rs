//! PostgreSQL and NATS as processes of the checker's own: killed, started again, their disks filled, set back, wiped.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use devstack::{Durability, Nats, Postgres};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a server may take to come up again. It is the checker's part, not Docket's.
const PATIENCE: Duration = Duration::from_mins(1);

/// The database server.
#[derive(Debug)]
pub(crate) struct Database {
    dir: PathBuf,
    server: Mutex<Option<Postgres>>,
    pub(crate) url: String,
    pub(crate) socket: PathBuf,
}

impl Database {
    pub(crate) async fn start(dir: &Path) -> Result<Self> {
        let server = Postgres::start(dir, Durability::Durable).await?;
        server.ensure_database("docket").await?;
        let url = server.url("docket");
        // the socket's folder stands in the URL, percent-encoded
        let (_, encoded) = url.split_once("host=").context("a URL without a socket")?;
        let socket = PathBuf::from(encoded.replace("%2F", "/").replace("%2f", "/")).join(".s.PGSQL.5432");
        Ok(Self { dir: dir.to_owned(), server: Mutex::new(Some(server)), url, socket })
    }

    pub(crate) async fn kill(&self) {
        if let Some(server) = self.server.lock().await.as_ref() {
            kill_process(server.pid());
            server.exited().await;
        }
    }

    /// Starts it again if it is not there.
    pub(crate) async fn ensure(&self) -> Result<()> {
        let mut server = self.server.lock().await;
        if let Some(running) = server.as_ref()
            && tokio::time::timeout(Duration::from_millis(150), running.exited()).await.is_err()
        {
            return Ok(());
        }
        // it holds the lock of its folder
        drop(server.take());
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Postgres::start(&self.dir, Durability::Durable).await {
                Ok(started) => {
                    *server = Some(started);
                    return Ok(());
                }
                Err(error) if Instant::now() > deadline => return Err(error).context("PostgreSQL does not come up"),
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }

    pub(crate) async fn stop(&self) {
        if let Some(server) = self.server.lock().await.take() {
            server.stop().await.ok();
        }
    }
}

/// The broker.
#[derive(Debug)]
pub(crate) struct Broker {
    dir: PathBuf,
    server: Mutex<Option<Nats>>,
    pub(crate) port: Arc<AtomicU16>,
    /// User and password; they stay when the server is started again.
    credentials: (String, String),
}

impl Broker {
    pub(crate) async fn start(dir: &Path) -> Result<Self> {
        let server = Nats::start(dir).await?;
        let port = Arc::new(AtomicU16::new(port_of(&server)));
        let (credentials, _) =
            server.url().trim_start_matches("nats://").split_once('@').context("a URL without a user")?;
        let (user, password) = credentials.split_once(':').context("a URL without a password")?;
        let credentials = (user.to_owned(), password.to_owned());
        Ok(Self { dir: dir.to_owned(), server: Mutex::new(Some(server)), port, credentials })
    }

    pub(crate) async fn connect(&self) -> Result<async_nats::Client> {
        let (user, password) = self.credentials.clone();
        let options = async_nats::ConnectOptions::with_user_and_password(user, password);
        Ok(options.connect(format!("127.0.0.1:{}", self.port.load(Ordering::Relaxed))).await?)
    }

    /// The URL for a process that reaches the server by another port.
    pub(crate) fn url_through(&self, port: u16) -> String {
        let (user, password) = &self.credentials;
        format!("nats://{user}:{password}@127.0.0.1:{port}")
    }

    pub(crate) async fn kill(&self) {
        if let Some(server) = self.server.lock().await.take() {
            kill_process(server.pid());
            server.exited().await;
        }
    }

    /// Starts it again.
    pub(crate) async fn start_again(&self) -> Result<()> {
        let mut server = self.server.lock().await;
        drop(server.take());
        let started = Nats::start(&self.dir).await?;
        self.port.store(port_of(&started), Ordering::Relaxed);
        *server = Some(started);
        Ok(())
    }

    /// Copies the store. It must not run.
    pub(crate) async fn copy_store(&self) -> Result<()> {
        let (store, copy) = (self.store(), self.dir.join("copy"));
        std::fs::remove_dir_all(&copy).ok();
        run("cp", &["-a".as_ref(), store.as_os_str(), copy.as_os_str()]).await
    }

    /// Puts the copy in the store's place. It must not run.
    pub(crate) fn set_back(&self) -> Result<()> {
        self.wipe()?;
        Ok(std::fs::rename(self.dir.join("copy"), self.store())?)
    }

    /// Removes the store. It must not run.
    pub(crate) fn wipe(&self) -> Result<()> {
        Ok(std::fs::remove_dir_all(self.store())?)
    }

    fn store(&self) -> PathBuf {
        self.dir.join("nats")
    }

    pub(crate) async fn stop(&self) {
        if let Some(server) = self.server.lock().await.take() {
            server.stop().await.ok();
        }
    }
}

fn port_of(server: &Nats) -> u16 {
    server.url().rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(4222)
}

fn kill_process(pid: u32) {
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).ok();
}

/// Runs a program of the system to its end.
pub(crate) async fn run(program: &str, arguments: &[&std::ffi::OsStr]) -> Result<()> {
    let output = tokio::process::Command::new(program).args(arguments).output().await;
    let output = output.with_context(|| format!("{program} can't be run"))?;
    anyhow::ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
