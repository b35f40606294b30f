//! A private NATS server with `JetStream`.

mod probe;
mod users;

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::data_dir::lock;
use crate::error::{At as _, Error};
use crate::find;
use crate::permissions::{create_data_dir, create_private_dir, write_private};
use crate::process::{Farewell, Process, log_tail};
use users::Users;

const FAREWELL: Farewell = &[(Signal::SIGINT, Duration::from_secs(10))];
/// It recovers its streams before it listens.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running private NATS server on a port of 127.0.0.1. Dropping it stops it and blocks for as long as that takes.
///
/// Every client needs a password: any account of the machine can reach the port. Passwords are generated at the first start and kept in
/// `nats.passwords`, so that URLs stay valid from start to start.
pub struct Nats {
    process: Process,
    port: u16,
    users: Users,
    url: String,
    subscriber_url: Option<String>,
    /// Keeps another Docket off the data.
    _lock: File,
}

/// What subscribers of a private NATS may read.
#[derive(Clone, Copy, Debug)]
pub struct Readable<'a> {
    /// The stream's name.
    pub stream: &'a str,
    /// What its subjects begin with.
    pub subject_prefix: &'a str,
}

impl Nats {
    /// Starts a server whose streams stand in `data_dir/nats`, on the port it had the last time if that is free. It has one user, who may
    /// do everything. [`Error::NatsUnavailable`] when there is no program to run: the caller can go on without.
    pub async fn start(data_dir: &Path) -> Result<Nats, Error> {
        start(data_dir, None).await
    }

    /// As [`Nats::start`], with a second user who may read a stream and make consumers on it, but not publish to, change, purge or
    /// delete it.
    pub async fn start_with_subscriber(data_dir: &Path, readable: Readable<'_>) -> Result<Nats, Error> {
        start(data_dir, Some(readable)).await
    }

    /// `nats://docket:PASSWORD@127.0.0.1:PORT`, of the user who may do everything.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of the user who may only read, where there is one.
    pub fn subscriber_url(&self) -> Option<&str> {
        self.subscriber_url.as_deref()
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Waits until the server's process has ended, by itself or by another's hand. To start it again, drop this first.
    pub async fn exited(&self) -> ExitStatus {
        self.process.exited().await
    }

    /// Asks its `JetStream`, and says why not where it does not answer in time: a server whose disk was full lives on without it, or
    /// hangs.
    pub async fn check_jetstream(&self, limit: Duration) -> Result<(), String> {
        let (user, password) = self.users.owner();
        let answer = tokio::time::timeout(limit, probe::ask(self.port, user, password)).await;
        answer.unwrap_or_else(|_| Err(format!("JetStream does not answer within {} s", limit.as_secs_f32())))
    }

    /// Ends a server that hangs, with `SIGKILL`: it would not hear of anything else.
    pub async fn kill(self) -> Result<(), Error> {
        self.process.kill();
        self.stop().await
    }

    /// Stops it as dropping it does, without blocking the thread.
    pub async fn stop(self) -> Result<(), Error> {
        let stopped = tokio::task::spawn_blocking(move || drop(self)).await;
        stopped.map_err(|error| Error::Io { doing: "can't stop NATS".into(), source: std::io::Error::other(error) })
    }
}

impl std::fmt::Debug for Nats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nats").field("pid", &self.pid()).finish_non_exhaustive()
    }
}

async fn start(data_dir: &Path, readable: Option<Readable<'_>>) -> Result<Nats, Error> {
    let root = create_data_dir(data_dir)?;
    let data = root.join("nats");
    create_private_dir(&data)?;
    let lock = lock(&root.join("nats.lock"), &data).await?;
    let program = find::nats().await?;
    let users = Users::load_or_generate(&root.join("nats.passwords"))?;
    let config = root.join("nats.conf");
    write_private(&config, users.config(readable).as_bytes()).at("write", &config)?;

    let remembered = root.join("nats.port");
    let port = std::fs::read_to_string(&remembered).ok().and_then(|port| port.trim().parse().ok());
    let port = port.filter(|port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    let attempt = Attempt { program, log: root.join("nats.log"), data, config };
    let (process, port) = match attempt.start(port, &lock).await {
        // another took the port between our look and the server's
        Err(Error::NotReady { .. }) if port.is_some() => attempt.start(None, &lock).await?,
        started => started?,
    };
    write_private(&remembered, port.to_string().as_bytes()).at("write", &remembered)?;
    tracing::debug!(pid = process.pid(), port, "NATS is ready");
    let subscriber_url = readable.map(|_| users.subscriber_url(port));
    Ok(Nats { process, port, url: users.owner_url(port), users, subscriber_url, _lock: lock })
}

struct Attempt {
    program: PathBuf,
    data: PathBuf,
    log: PathBuf,
    config: PathBuf,
}

impl Attempt {
    async fn start(&self, port: Option<u16>, lock: &File) -> Result<(Process, u16), Error> {
        let ports = self.data.with_extension("ports");
        let _ = std::fs::remove_dir_all(&ports);
        create_private_dir(&ports)?;
        let mut server = Command::new(&self.program);
        server
            .current_dir("/")
            .args(["-js", "-a", "127.0.0.1", "-p"])
            .arg(port.map_or("-1".into(), |port| port.to_string()));
        server.arg("-sd").arg(&self.data).arg("--ports_file_dir").arg(&ports).arg("-c").arg(&self.config);
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
