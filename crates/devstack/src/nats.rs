//! A private NATS server with `JetStream`.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::error::{At as _, Error};
use crate::find;
use crate::folder::{created, lock};
use crate::process::{Farewell, Process, log_tail};

const FAREWELL: Farewell = &[(Signal::SIGINT, Duration::from_secs(10))];
const PATIENCE: Duration = Duration::from_secs(30);

/// A running private NATS server on a port of 127.0.0.1. Dropping it stops it and blocks for as long as that takes.
pub struct Nats {
    process: Process,
    url: String,
    /// Keeps another Docket off the data.
    _lock: File,
}

impl Nats {
    /// Starts a server whose streams stand in `data_dir/nats`, on the port it had the last time if that is free. Without one a caller
    /// can go on: [`Error::NatsUnavailable`] when there is no program to run.
    pub async fn start(data_dir: &Path) -> Result<Nats, Error> {
        let root = created(data_dir)?;
        let data = created(&root.join("nats"))?;
        let lock = lock(&root.join("nats.lock"), &data).await?;
        let program = find::nats().await?;
        let remembered = root.join("nats.port");
        let port = std::fs::read_to_string(&remembered).ok().and_then(|port| port.trim().parse().ok());
        let port = port.filter(|port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
        let attempt = Attempt { program, log: root.join("nats.log"), data };
        let (process, port) = match attempt.start(port, &lock).await {
            // another took the port between our look and the server's
            Err(Error::NotReady { .. }) if port.is_some() => attempt.start(None, &lock).await?,
            started => started?,
        };
        std::fs::write(&remembered, port.to_string()).at("write", &remembered)?;
        let url = format!("nats://{}:{port}", Ipv4Addr::LOCALHOST);
        tracing::debug!(pid = process.pid(), url, "NATS is ready");
        Ok(Nats { process, url, _lock: lock })
    }

    /// `nats://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Waits until the server's process has ended, by itself or by another's hand. To start it again, drop this first.
    pub async fn exited(&self) -> ExitStatus {
        self.process.exited().await
    }

    /// Stops it as dropping it does, without blocking the thread.
    pub async fn stop(self) -> Result<(), Error> {
        let stopped = tokio::task::spawn_blocking(move || drop(self)).await;
        stopped.map_err(|error| Error::Io { doing: "can't stop NATS".into(), source: std::io::Error::other(error) })
    }
}

impl std::fmt::Debug for Nats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nats").field("pid", &self.pid()).field("url", &self.url).finish_non_exhaustive()
    }
}

struct Attempt {
    program: PathBuf,
    data: PathBuf,
    log: PathBuf,
}

impl Attempt {
    async fn start(&self, port: Option<u16>, lock: &File) -> Result<(Process, u16), Error> {
        let ports = self.data.with_extension("ports");
        let _ = std::fs::remove_dir_all(&ports);
        let ports = created(&ports)?;
        let mut server = Command::new(&self.program);
        server
            .current_dir("/")
            .args(["-js", "-a", "127.0.0.1", "-p"])
            .arg(port.map_or("-1".into(), |port| port.to_string()));
        server.arg("-sd").arg(&self.data).arg("--ports_file_dir").arg(&ports);
        let process = Process::spawn(server, &self.log, lock, FAREWELL).await.at("start", &self.program)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(port) = listening(&ports) {
                return Ok((process, port));
            }
            let state = match process.ended() {
                None if Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
                None => format!("still starting after {} s", PATIENCE.as_secs()),
                Some(status) => format!("it ended ({status})"),
            };
            let log_tail = log_tail(&self.log);
            return Err(Error::NotReady { server: "nats-server", state, log: self.log.clone(), log_tail });
        }
    }
}

/// The server writes `{"nats":["nats://127.0.0.1:4222"],…}` when it listens.
fn listening(ports: &Path) -> Option<u16> {
    let file = std::fs::read_dir(ports).ok()?.flatten().next()?.path();
    let text = std::fs::read_to_string(file).ok()?;
    let (_, address) = text.split_once("nats://")?;
    let (address, _) = address.split_once('"')?;
    address.rsplit(':').next()?.parse().ok()
}
