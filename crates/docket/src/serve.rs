//! `docket serve`: everything, in one process.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use api::App;
use desk::{Desk, Keys, NewKey};
use prometheus::Registry;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::{Config, Role, redacted, redacted_nats};
use crate::database::Database;
use crate::endpoints::{Endpoints, write_private};
use crate::open_files;
use crate::private::{self, told};
use crate::relay;
use crate::telemetry::{self, Telemetry, new_id, now};

/// How often old receipts are removed.
const EXPIRE_EVERY: Duration = Duration::from_mins(10);

pub(crate) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let telemetry = telemetry::full(config)?;
    // before anything is started: what would be of use to nobody
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("can't listen on {}; --listen or DOCKET_LISTEN takes another address", config.listen)
    })?;
    let address = listener.local_addr()?;
    fs::create_dir_all(&config.data_dir).with_context(|| {
        format!("the data folder {} can't be made; --data-dir takes another", config.data_dir.display())
    })?;

    let database =
        if config.has(Role::Api) { Database::provide(config).await? } else { Database::find(config).await? };
    if config.migrate || database.private.is_some() {
        database.migrate().await?;
    }
    let desk = database.desk(config).await?;
    let projections = database.projections(&desk, config).await?;
    let broker = if config.has(Role::Relay) { relay::provide(config).await } else { None };
    let (nats_url, nats) = broker.unzip();
    let relay = nats_url.as_ref().map(|url| ::relay::Relay::new(desk.store().clone(), relay::settings(config, url)));
    if config.has(Role::Api) {
        let key = first_key(desk.keys(), &config.data_dir).await?;
        let url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let endpoints = Endpoints { api: url, database: database.url.clone(), nats: nats_url };
        endpoints.write(&config.data_dir).context("endpoints.json can't be written")?;
        greet(&endpoints, key.as_deref(), &database, config)?;
    }

    let app = App::new(desk.clone(), projections.reader(), api_config(config, telemetry.registry(), relay.as_ref()));
    let (stop, stopped) = watch::channel(false);
    let mut followers = JoinSet::new();
    followers.spawn(expire_receipts(desk.clone(), config.receipt_age(), stopped.clone()));
    if config.has(Role::Projector) {
        followers.spawn(projections.run(told(stopped.clone())));
    }
    if let Some(relay) = relay {
        followers.spawn(relay.run(told(stopped.clone())));
    }
    let signals = tokio::spawn(until_told(stop, app.clone()));
    let (end, ended) = watch::channel(false);
    let servers = [
        private::keep(database.private, &config.data_dir, &ended),
        private::keep(nats.flatten(), &config.data_dir, &ended),
    ];
    let result = api::serve(listener, app, told(stopped)).await;

    // in this order: requests have ended, followers have, the queue is flushed, then the servers may go
    signals.abort();
    while let Some(follower) = followers.join_next().await {
        follower?;
    }
    desk.store().close().await;
    end.send(true).ok();
    for server in servers {
        server.await?;
    }
    telemetry.flush();
    result?;
    Ok(ExitCode::SUCCESS)
}

fn api_config(config: &Config, registry: Registry, relay: Option<&::relay::Relay>) -> api::Config {
    let relay = relay.map(::relay::Relay::status);
    api::Config {
        public_url: config.public_url.clone(),
        operations_only: !config.has(Role::Api),
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
        detail: Box::new(move || {
            let relay = relay.as_ref().map(|status| {
                let status = status.borrow();
                let halted = match &status.state {
                    ::relay::State::Halted(halt) => Some(halt.to_string()),
                    _ => None,
                };
                json!({"state": status.state.as_str(), "position": status.position.map(|p| p.0), "halted": halted})
            });
            json!({"relay": relay})
        }),
    }
}

/// The first signal ends the server in order, a second one at once.
async fn until_told(stop: watch::Sender<bool>, app: App) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping: requests under way come to their end; once more to stop at once");
    app.drain();
    stop.send(true).ok();
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    std::process::exit(130);
}

/// An admin's key where none has been made yet, so that the first request can be sent. It is kept in a
/// file that only its owner may read.
async fn first_key(keys: &Keys, data_dir: &Path) -> anyhow::Result<Option<PathBuf>> {
    let path = data_dir.join("admin.key");
    if keys.is_empty().await? {
        let minted = keys.create(&NewKey::staff(shared_kernel::Role::Admin, "admin", BTreeSet::new())?, now()).await?;
        write_private(&path, format!("{}\n", minted.token).as_bytes())
            .with_context(|| format!("the admin key can't be written to {}", path.display()))?;
    }
    Ok(path.exists().then_some(path))
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
            () = told(stopped.clone()) => return,
        }
    }
}

/// Says where everything is, and how to begin.
fn greet(endpoints: &Endpoints, key: Option<&Path>, database: &Database, config: &Config) -> std::io::Result<()> {
    let mut out = anstream::stderr();
    let url = &endpoints.api;
    writeln!(out, "\n  Docket serves at   {url}")?;
    writeln!(out, "  its documentation  {url}/docs/")?;
    match &database.private {
        Some(postgres) => writeln!(out, "  its PostgreSQL     private, in {}", postgres.data_dir().display())?,
        None => writeln!(out, "  its PostgreSQL     {}", redacted(&database.url))?,
    }
    match &endpoints.nats {
        Some(nats) => writeln!(
            out,
            "  its NATS           {}{}",
            if config.nats_url.is_none() { "private, at " } else { "" },
            redacted_nats(nats)
        )?,
        None if config.has(Role::Relay) => {
            writeln!(out, "  its NATS           none: events are relayed once there is one (NATS_URL)")?;
        }
        None => {}
    }
    writeln!(out, "  where it all is    {}", config.data_dir.join("endpoints.json").display())?;
    if let Some(key) = key {
        let key = key.display();
        writeln!(out, "  the admin's key    {key}\n\n  A first ticket:\n")?;
        writeln!(out, "    curl -i {url}/v1/tickets \\")?;
        writeln!(out, "      -H \"Authorization: Bearer $(cat {key})\" \\")?;
        writeln!(out, "      -H 'Content-Type: application/json' \\")?;
        writeln!(out, "      -d '{{\"subject\": \"The printer is on fire\", \"body\": \"Please come with water.\"}}'")?;
    }
    writeln!(out)
}
