//! Servers of Docket's own, kept running: one that ends by itself is started again, at the address that it
//! had; who uses it connects anew.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use devstack::{Durability, Error, Nats, Postgres};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The pause between two attempts to start a server again.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// A server of Docket's own.
pub(crate) trait Private: Sized + Send + 'static {
    const NAME: &'static str;

    fn start(data_dir: &Path) -> impl Future<Output = Result<Self, Error>> + Send;
    fn exited(&self) -> impl Future<Output = ExitStatus> + Send;
    fn stop(self) -> impl Future<Output = Result<(), Error>> + Send;
}

impl Private for Postgres {
    const NAME: &'static str = "PostgreSQL";

    async fn start(data_dir: &Path) -> Result<Self, Error> {
        Self::start(data_dir, Durability::Durable).await
    }

    async fn exited(&self) -> ExitStatus {
        self.exited().await
    }

    async fn stop(self) -> Result<(), Error> {
        self.stop().await
    }
}

impl Private for Nats {
    const NAME: &'static str = "NATS";

    async fn start(data_dir: &Path) -> Result<Self, Error> {
        Self::start(data_dir).await
    }

    async fn exited(&self) -> ExitStatus {
        self.exited().await
    }

    async fn stop(self) -> Result<(), Error> {
        self.stop().await
    }
}

/// Keeps a server running in the background until `end` becomes true, then stops it.
pub(crate) fn keep<S: Private>(server: Option<S>, data_dir: &Path, end: &watch::Receiver<bool>) -> JoinHandle<()> {
    let (data_dir, end) = (data_dir.to_owned(), end.clone());
    tokio::spawn(async move {
        if let Some(server) = server {
            keep_running(server, data_dir, end).await;
        }
    })
}

async fn keep_running<S: Private>(mut server: S, data_dir: PathBuf, end: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            status = server.exited() => {
                tracing::error!(%status, "the private {} has ended; starting it again", S::NAME);
            }
            () = told(end.clone()) => {
                if let Err(error) = server.stop().await {
                    tracing::warn!(%error, "the private {} did not stop well", S::NAME);
                }
                return;
            }
        }
        // it holds the lock of its folder
        drop(server);
        server = loop {
            match S::start(&data_dir).await {
                Ok(server) => break server,
                Err(error) => tracing::error!(%error, "the private {} can't be started", S::NAME),
            }
            tokio::select! {
                () = tokio::time::sleep(RESTART_PAUSE) => {}
                () = told(end.clone()) => return,
            }
        };
    }
}

/// Returns when the flag is true.
pub(crate) async fn told(mut flag: watch::Receiver<bool>) {
    // a sender that is gone has nothing more to tell either
    flag.wait_for(|flag| *flag).await.ok();
}
