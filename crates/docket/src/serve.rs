//! `docket serve`: everything, in one process.

mod greeting;
mod startup;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use api::App;
use desk::Desk;
use prometheus::Registry;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{Component, Config};
use crate::endpoints::Endpoints;
use crate::hint::hinted;
use crate::open_files;
use crate::private::{supervise, until_set};
use crate::relay::{self, Broker, RelayDetail, Urls};
use crate::telemetry::{self, Telemetry, new_id, now};
use crate::timers::{self, Timers};
use startup::Opened;

/// How often old receipts are removed.
const EXPIRE_EVERY: Duration = Duration::from_mins(10);

pub(crate) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let telemetry = telemetry::full(config)?;
    // before anything is started that nobody could reach
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        hinted(format!("can't listen on {}", config.listen), "Choose another address with --listen or DOCKET_LISTEN.")
    })?;
    let address = listener.local_addr()?;
    devstack::create_data_dir(&config.data_dir).with_context(|| {
        hinted(
            format!("the data folder {} can't be created", config.data_dir.display()),
            "Choose another one with --data-dir or DOCKET_DATA_DIR.",
        )
    })?;
    let (stop, stopped) = watch::channel(false);
    let signals = tokio::spawn(stop_on_signal(stop));
    let Some(Opened { database, desk, projections, admin_key }) = startup::open(config, &listener, &stopped).await?
    else {
        return Ok(ExitCode::SUCCESS);
    };
    let source = relay::source(&desk).await?;
    let broker = if config.has(Component::Relay) { Some(Broker::provide(config).await) } else { None };
    let broker_urls = broker.as_ref().map(|broker| broker.urls.clone());
    let relay_detail = RelayDetail::default();

    let mut followers = JoinSet::new();
    if config.has(Component::Api) {
        let api = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let urls = broker_urls.as_ref().and_then(|urls| urls.borrow().clone().ok());
        let endpoints =
            Endpoints { api, database: database.url.clone(), nats: None, nats_admin: None }.with_broker(urls, config);
        endpoints.write(&config.data_dir).context("endpoints.json can't be written")?;
        greeting::print(&endpoints, admin_key.as_deref(), &database, config)?;
        if let Some(urls) = broker_urls.clone() {
            followers.spawn(keep_endpoints(endpoints, config.clone(), urls, stopped.clone()));
        }
    }
    let timers = config.has(Component::Timers).then(|| timers::over(&desk, &projections));
    let relay = broker_urls.clone().map(|urls| (relay_detail.clone(), urls));
    let detail = Detail { relay, timers: timers.as_ref().map(Timers::status) };
    let app =
        App::new(desk.clone(), projections.reader(), api_config(config, source.clone(), telemetry.registry(), detail));
    followers.spawn(expire_receipts(desk.clone(), config.receipt_age(), stopped.clone()));
    if let Some(timers) = timers {
        followers.spawn(timers::run(timers, desk.clone(), stopped.clone()));
    }
    if config.has(Component::Projector) {
        followers.spawn(projections.run(until_set(stopped.clone())));
    }
    if let Some(urls) = broker_urls {
        followers.spawn(relay::run(desk.store().clone(), config.clone(), source, urls, relay_detail, stopped.clone()));
    }
    let (end, ended) = watch::channel(false);
    let servers = [
        database.private.map(|postgres| supervise(Some(postgres), config, &ended, |_| {})),
        broker.and_then(|broker| broker.supervise(config, &ended)),
    ];
    let result = api::serve(listener, app, until_set(stopped)).await;

    // in this order: requests have ended, followers have, the queue is flushed, then the servers may go
    signals.abort();
    while let Some(follower) = followers.join_next().await {
        follower?;
    }
    desk.store().close().await;
    end.send(true).ok();
    for server in servers.into_iter().flatten() {
        server.await?;
    }
    telemetry.flush();
    result?;
    Ok(ExitCode::SUCCESS)
}

/// Writes `endpoints.json` again whenever the private broker has moved.
async fn keep_endpoints(
    endpoints: Endpoints,
    config: Config,
    mut urls: watch::Receiver<Result<Urls, String>>,
    stop: watch::Receiver<bool>,
) {
    let follow = async {
        while urls.changed().await.is_ok() {
            let now = urls.borrow_and_update().clone().ok();
            if let Err(error) = endpoints.clone().with_broker(now, &config).write(&config.data_dir) {
                tracing::error!(%error, "endpoints.json can't be written");
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = follow => {}
        () = until_set(stop) => {}
    }
}

/// What readiness says of the followers.
struct Detail {
    relay: Option<(RelayDetail, watch::Receiver<Result<Urls, String>>)>,
    timers: Option<watch::Receiver<timers::Status>>,
}

impl Detail {
    fn json(&self) -> Value {
        json!({
            "relay": self.relay.as_ref().map(|(detail, broker)| detail.json(broker)),
            "timers": self.timers.as_ref().map(|status| timers::json(&status.borrow())),
        })
    }
}

fn api_config(config: &Config, source: String, registry: Registry, detail: Detail) -> api::Config {
    api::Config {
        public_url: config.public_url.clone(),
        source,
        operations_only: !config.has(Component::Api),
        request_timeout: api::REQUEST_TIMEOUT,
        body_timeout: api::BODY_TIMEOUT,
        limits: api::Limits {
            rate: config.rate_limit.0,
            requests: config.max_requests,
            streams: config.max_streams,
            connections: api::ConnectionLimits {
                max: open_files::connections(config.max_connections),
                ..api::ConnectionLimits::default()
            },
            ..api::Limits::default()
        },
        now,
        new_id,
        metrics: Box::new(move || Telemetry::metrics(&registry)),
        detail: Box::new(move || detail.json()),
    }
}

/// The first signal starts a graceful shutdown, the second ends the process.
async fn stop_on_signal(stop: watch::Sender<bool>) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("finishing requests in flight; signal again to stop now");
    stop.send(true).ok();
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    std::process::exit(130);
}

async fn expire_receipts(desk: Desk, age: Duration, stopped: watch::Receiver<bool>) {
    loop {
        match desk.store().expire_receipts(age).await {
            // more of them may be waiting
            Ok(1..) if !*stopped.borrow() => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "old receipts could not be removed"),
        }
        tokio::select! {
            () = tokio::time::sleep(EXPIRE_EVERY) => {}
            () = until_set(stopped.clone()) => return,
        }
    }
}
