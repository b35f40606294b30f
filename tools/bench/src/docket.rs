use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use devstack::{Nats, Postgres};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::Client;

const PATIENCE: Duration = Duration::from_mins(1);

/// A running `docket serve`. Dropping it ends it in order.
#[derive(Debug)]
pub struct Docket {
    child: Child,
    folder: PathBuf,
    /// Where it serves.
    pub address: SocketAddr,
    /// The admin's key.
    pub key: String,
}

impl Docket {
    /// Starts the program over a database of its own and a broker, and waits until it is ready.
    ///
    /// # Errors
    /// If it does not start; with its log.
    pub async fn start(program: &str, folder: &Path, postgres: &Postgres, nats: Option<&Nats>) -> Result<Self> {
        postgres.ensure_database("docket").await?;
        let log = File::create(folder.join("docket.log"))?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "warn"])
            .current_dir(folder)
            .env("DATABASE_URL", postgres.url("docket"))
            .env("DOCKET_RATE_LIMIT", "off")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        match nats {
            Some(nats) => command.env("NATS_URL", nats.url()),
            None => command.env_remove("NATS_URL").args(["--roles", "api,projector"]),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut docket = Self { child: command.spawn()?, folder: folder.to_owned(), address, key: String::new() };
        let deadline = Instant::now() + PATIENCE;
        while !docket.is_ready().await {
            let ended = docket.child.try_wait()?;
            if ended.is_some() || Instant::now() >= deadline {
                bail!("docket does not start: {}", fs::read_to_string(folder.join("docket.log"))?);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(docket)
    }

    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it answers at.
    async fn is_ready(&mut self) -> bool {
        let ready = async {
            let told: Value = serde_json::from_slice(&fs::read(self.folder.join(".docket/endpoints.json"))?)?;
            let url = told["api"].as_str().context("no address")?;
            self.address = url.trim_start_matches("http://").parse()?;
            fs::read_to_string(self.folder.join(".docket/admin.key"))?.trim().clone_into(&mut self.key);
            let mut client = Client::connect(self.address, &self.key).await?;
            anyhow::Ok(client.get("/health/readiness", None).await?.status == 200)
        };
        ready.await.unwrap_or(false)
    }

    /// A command line of the same program beside it, which finds it by its folder.
    #[must_use]
    pub fn beside(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env_remove("DATABASE_URL").env_remove("NATS_URL");
        command
    }
}

impl Drop for Docket {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, Signal::SIGTERM).ok();
        let deadline = Instant::now() + Duration::from_secs(20);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
