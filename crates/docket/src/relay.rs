//! Where the broker is, and the relay to it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use desk::Desk;
use devstack::{Error, Nats};
use eventstore::EventStore;
use relay::{Config as RelayConfig, Relay, State, Status};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::endpoints::Endpoints;
use crate::private::{Private, supervise, until_set};
use crate::telemetry::now;

/// The broker's URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Urls {
    /// The relay's, who owns the stream.
    pub(crate) owner: String,
    /// For subscribers.
    pub(crate) subscriber: String,
}

/// The broker of this process: its URLs, or why there is none yet. They change when a private one has to take another port.
pub(crate) struct Broker {
    pub(crate) urls: watch::Receiver<Result<Urls, String>>,
    private: Option<PrivateBroker>,
}

/// A private broker, if it has started, and where its URLs are announced.
struct PrivateBroker {
    changes: watch::Sender<Result<Urls, String>>,
    nats: Option<Nats>,
}

impl Broker {
    /// For `serve`: the configured broker, or a private one. One that can't be started is tried again by [`Self::supervise`]; what the log
    /// takes meanwhile is relayed later.
    pub(crate) async fn provide(config: &Config) -> Self {
        if let Some(url) = &config.nats_url {
            let (_, urls) = watch::channel(Ok(Urls { owner: url.clone(), subscriber: url.clone() }));
            return Self { urls, private: None };
        }
        let started = <Nats as Private>::start(config).await;
        if let Err(error) = &started {
            tracing::warn!(%error, "events are not relayed yet; nothing is lost, and the private NATS is tried again");
        }
        let (changes, urls) = watch::channel(urls_of(started.as_ref()));
        Self { urls, private: Some(PrivateBroker { changes, nats: started.ok() }) }
    }

    /// Keeps a private broker running until `end` becomes true.
    pub(crate) fn supervise(self, config: &Config, end: &watch::Receiver<bool>) -> Option<JoinHandle<()>> {
        let PrivateBroker { changes, nats } = self.private?;
        Some(supervise(nats, config, end, move |started: Result<&Nats, &Error>| {
            let new = urls_of(started);
            changes.send_if_modified(|urls| {
                let differs = new.is_ok() && *urls != new || urls.is_err();
                if differs {
                    *urls = new;
                }
                differs
            });
        }))
    }
}

fn urls_of(started: Result<&Nats, &Error>) -> Result<Urls, String> {
    let nats = started.map_err(|error| format!("the private NATS can't be started: {error}"))?;
    let owner = nats.url().to_owned();
    Ok(Urls { subscriber: nats.subscriber_url().unwrap_or(&owner).to_owned(), owner })
}

/// What readiness says of the relay.
#[derive(Clone, Default)]
pub(crate) struct RelayDetail(Arc<Mutex<Option<watch::Receiver<Status>>>>);

impl RelayDetail {
    fn replace(&self, status: watch::Receiver<Status>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
    }

    /// `halted` and `reason` say why nothing is published.
    pub(crate) fn json(&self, broker: &watch::Receiver<Result<Urls, String>>) -> Value {
        if let Err(reason) = &*broker.borrow() {
            return json!({"state": State::Connecting.as_str(), "position": null, "halted": null, "reason": reason});
        }
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(status) = running.as_ref().map(|status| status.borrow().clone()) else {
            return json!({"state": State::Connecting.as_str(), "position": null, "halted": null, "reason": null});
        };
        let halted = match &status.state {
            State::Halted(halt) => Some(halt.to_string()),
            _ => None,
        };
        json!({
            "state": status.state.as_str(), "position": status.position.map(|position| position.0), "halted": halted,
            "reason": status.reason,
        })
    }
}

/// Relays to wherever the broker is, until `stop` becomes true.
pub(crate) async fn run(
    store: EventStore,
    config: Config,
    source: String,
    mut broker: watch::Receiver<Result<Urls, String>>,
    detail: RelayDetail,
    stop: watch::Receiver<bool>,
) {
    loop {
        let urls = broker.borrow_and_update().clone();
        let work = async {
            let Ok(urls) = urls else { return std::future::pending().await };
            let relay = Relay::new(store.clone(), settings(&config, urls.owner, &source));
            detail.replace(relay.status());
            relay.run(std::future::pending()).await;
            // it ends by itself only when the store is closed
            std::future::pending::<()>().await;
        };
        let moved = async {
            // a configured broker never moves
            if broker.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = work => {}
            () = moved => {}
            () = until_set(stop.clone()) => return,
        }
    }
}

/// For the other commands: the configured broker, or that of the server that runs in the data folder.
pub(crate) fn find(config: &Config) -> Option<String> {
    let running = || {
        let endpoints = Endpoints::read(&config.data_dir)?;
        endpoints.nats_admin.or(endpoints.nats)
    };
    config.nats_url.clone().or_else(running)
}

/// The `source` of CloudEvents, on the broker and over HTTP: it names the installation.
pub(crate) async fn source(desk: &Desk) -> anyhow::Result<String> {
    let id = desk.store().installation_id().await.context("the installation's id can't be read")?;
    Ok(id.urn().to_string())
}

/// The configuration of the relay; `source` is that of the CloudEvents.
pub(crate) fn settings(config: &Config, url: impl Into<String>, source: impl Into<String>) -> RelayConfig {
    RelayConfig {
        stream: config.nats_stream.clone(),
        subject_prefix: config.nats_subject_prefix.clone(),
        replicas: config.nats_replicas,
        ..RelayConfig::new(url, source, now)
    }
}
