//! Where the broker is, and what the relay is told of it.

use std::path::Path;
use std::time::Duration;

use devstack::Nats;
use relay::Config as RelayConfig;
use tokio::sync::watch;

use crate::config::Config;
use crate::endpoints::Endpoints;
use crate::telemetry::now;

/// The pause between two attempts to start the private NATS again.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// For `serve`: the configured broker, or a private one that is started for it. `None`: there is none; Docket serves all the
/// same, and what the log takes meanwhile is relayed once there is one.
pub(crate) async fn provide(config: &Config) -> Option<(String, Option<Nats>)> {
    if let Some(url) = &config.nats_url {
        return Some((url.clone(), None));
    }
    match Nats::start(&config.data_dir).await {
        Ok(nats) => Some((nats.url().to_owned(), Some(nats))),
        Err(error) => {
            tracing::warn!(%error, "events are not relayed; nothing is lost, and they will be once there is a NATS");
            None
        }
    }
}

/// For the commands beside `serve`: the configured broker, or that of a server which runs in the data folder.
pub(crate) fn find(config: &Config) -> Option<String> {
    config.nats_url.clone().or_else(|| Endpoints::read(&config.data_dir)?.nats)
}

/// What the relay is told.
pub(crate) fn settings(config: &Config, url: impl Into<String>) -> RelayConfig {
    RelayConfig {
        stream: config.nats_stream.clone(),
        subject_prefix: config.nats_subject_prefix.clone(),
        replicas: config.nats_replicas,
        ..RelayConfig::new(url, now)
    }
}

/// Starts the private NATS again when it ends by itself, on the port that it had: who uses it connects anew. Stops it at
/// the end, which `end` tells by becoming true.
pub(crate) async fn keep_running(mut nats: Nats, data_dir: &Path, end: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            status = nats.exited() => tracing::error!(%status, "the private NATS has ended; starting it again"),
            () = told(end.clone()) => {
                if let Err(error) = nats.stop().await {
                    tracing::warn!(%error, "the private NATS did not stop well");
                }
                return;
            }
        }
        drop(nats);
        nats = loop {
            match Nats::start(data_dir).await {
                Ok(nats) => break nats,
                Err(error) => tracing::error!(%error, "the private NATS can't be started"),
            }
            tokio::select! {
                () = tokio::time::sleep(RESTART_PAUSE) => {}
                () = told(end.clone()) => return,
            }
        };
    }
}

async fn told(mut end: watch::Receiver<bool>) {
    // a sender that is gone has nothing more to tell either
    end.wait_for(|end| *end).await.ok();
}
