//! Where the broker is, and what the relay is told of it.

use devstack::Nats;
use relay::Config as RelayConfig;

use crate::config::Config;
use crate::endpoints::Endpoints;
use crate::telemetry::now;

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
