//! Opens the database, and waits for one that is not up yet: the process is alive meanwhile, and not ready.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use desk::{Desk, NewAgent, NewKey};
use devstack::write_private;
use projections::Projections;
use shared_kernel::{Handle, Role};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::backoff::Backoff;
use crate::config::{Component, Config};
use crate::database::{Database, may_come_up};
use crate::operator::operator;
use crate::private::until_set;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What the rest of the process works on.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) desk: Desk,
    pub(super) projections: Projections,
    /// The file with the admin's key.
    pub(super) admin_key: Option<PathBuf>,
}

/// Opens the database once it is up; `None` if the process has to stop before that. Returns an error that waiting does
/// not mend: a wrong password, an unknown database.
pub(super) async fn open(
    config: &Config,
    listener: &TcpListener,
    stop: &watch::Receiver<bool>,
) -> anyhow::Result<Option<Opened>> {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut waiting: Option<Waiting> = None;
    loop {
        let attempt = tokio::select! {
            attempt = attempt(config) => attempt,
            () = until_set(stop.clone()) => break,
        };
        let error = match attempt {
            Ok(opened) => {
                if let Some(waiting) = waiting {
                    tracing::info!("the database is up");
                    waiting.end().await?;
                }
                return Ok(Some(opened));
            }
            Err(error) if may_come_up(&error) => error,
            Err(error) => return Err(error),
        };
        let pause = backoff.pause();
        let cause = error.root_cause().to_string();
        tracing::warn!(cause, retry_in = ?pause, "waiting for the database");
        let reason = format!("The database is not up yet ({cause}).");
        if let Some(waiting) = &waiting {
            waiting.reason.send_replace(reason);
        } else {
            waiting = Some(Waiting::start(config, listener, reason)?);
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = until_set(stop.clone()) => break,
        }
    }
    if let Some(waiting) = waiting {
        waiting.end().await?;
    }
    Ok(None)
}

async fn attempt(config: &Config) -> anyhow::Result<Opened> {
    let database =
        if config.has(Component::Api) { Database::provide(config).await? } else { Database::find(config).await? };
    let opened = open_on(&database, config).await;
    match opened {
        Ok((desk, projections, admin_key)) => Ok(Opened { database, desk, projections, admin_key }),
        Err(error) => {
            database.close().await;
            Err(error)
        }
    }
}

async fn open_on(database: &Database, config: &Config) -> anyhow::Result<(Desk, Projections, Option<PathBuf>)> {
    database.check().await?;
    if config.migrate || database.private.is_some() {
        database.migrate().await?;
    }
    let desk = database.desk(config).await?;
    let projections = database.projections(&desk, config).await?;
    let admin_key = if config.has(Component::Api) { first_key(&desk, &config.data_dir).await? } else { None };
    Ok((desk, projections, admin_key))
}

/// Makes an admin's key where no key exists, so that the first request can be sent.
async fn first_key(desk: &Desk, data_dir: &Path) -> anyhow::Result<Option<PathBuf>> {
    let path = data_dir.join("admin.key");
    if desk.keys().is_empty().await? {
        let call = || operator("startup");
        let admin = desk.ensure_agent(NewAgent::named(Handle::parse("admin")?), call).await?;
        let minted = desk.keys().create(NewKey::staff(Role::Admin, admin), call()).await?;
        write_private(&path, format!("{}\n", minted.token).as_bytes())
            .with_context(|| format!("the admin key can't be written to {}", path.display()))?;
    }
    Ok(path.exists().then_some(path))
}

/// The server that answers while the database is not up.
struct Waiting {
    reason: watch::Sender<String>,
    end: watch::Sender<bool>,
    server: JoinHandle<io::Result<()>>,
}

impl Waiting {
    /// On the same socket: what connects while the one takes over from the other is not refused.
    fn start(config: &Config, listener: &TcpListener, reason: String) -> anyhow::Result<Self> {
        use std::os::fd::AsFd as _;
        let base = config.public_url.clone();
        let base = base.map_or_else(|| listener.local_addr().map(|address| format!("http://{address}")), Ok)?;
        let socket = std::net::TcpListener::from(listener.as_fd().try_clone_to_owned()?);
        let socket = TcpListener::from_std(socket)?;
        let (reason, reasons) = watch::channel(reason);
        let (end, ended) = watch::channel(false);
        let server = tokio::spawn(api::serve_starting(socket, base, reasons, until_set(ended)));
        Ok(Self { reason, end, server })
    }

    async fn end(self) -> anyhow::Result<()> {
        self.end.send_replace(true);
        Ok(self.server.await??)
    }
}
