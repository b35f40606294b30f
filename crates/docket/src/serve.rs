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
use devstack::{Durability, Postgres};
use ticket_aggregate::Role;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::config::Config;
use crate::database::Database;
use crate::endpoints::{Endpoints, write_private};
use crate::telemetry::{self, Telemetry, new_id, now};

/// How often old receipts are removed.
const EXPIRE_EVERY: Duration = Duration::from_mins(10);
/// The pause between two attempts to start the private PostgreSQL.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let telemetry = telemetry::full(config)?;
    // before anything is started: what would be of use to nobody
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("can't listen on {}; --listen or DOCKET_LISTEN takes another address", config.listen))?;
    let address = listener.local_addr()?;
    fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("the data folder {} can't be made; --data-dir takes another", config.data_dir.display()))?;

    let database = Database::provide(config).await?;
    if config.migrate || database.private.is_some() {
        database.migrate().await?;
    }
    let desk = database.desk(config).await?;
    let projections = database.projections(&desk, config).await?;
    let key = first_key(desk.keys(), &config.data_dir).await?;
    let url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let endpoints = Endpoints { api: url.clone(), database: database.url.clone(), nats: None };
    endpoints.write(&config.data_dir).context("endpoints.json can't be written")?;
    greet(&url, key.as_deref(), &database, config)?;

    let registry = telemetry.registry();
    let app = App::new(
        desk.clone(),
        projections.reader(),
        api::Config {
            public_url: config.public_url.clone(),
            now,
            new_id,
            metrics: Box::new(move || Telemetry::metrics(&registry)),
        },
    );
    let (stop, stopped) = watch::channel(false);
    let expiry = tokio::spawn(expire_receipts(desk.clone(), config.receipt_age(), stopped.clone()));
    let projectors = tokio::spawn(projections.run(told(stopped.clone())));
    let signals = tokio::spawn(until_told(stop, app.clone()));
    let (ended, rest) = watch::channel(false);
    let private = database.private.map(|postgres| tokio::spawn(keep_running(postgres, config.data_dir.clone(), rest)));
    let result = api::serve(listener, app, told(stopped)).await;

    // in this order: requests have ended, then the queue is flushed, then the database may go
    expiry.abort();
    signals.abort();
    projectors.await?;
    desk.store().close().await;
    ended.send(true).ok();
    if let Some(private) = private {
        private.await?;
    }
    telemetry.flush();
    result?;
    Ok(ExitCode::SUCCESS)
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // a sender that is gone has nothing more to tell either
    stopped.wait_for(|stop| *stop).await.ok();
}

/// Starts the private PostgreSQL again when it ends by itself: its address stays the same, and who uses it
/// connects anew. Stops it at the end.
async fn keep_running(mut postgres: Postgres, data_dir: PathBuf, end: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            status = postgres.exited() => tracing::error!(%status, "the private PostgreSQL has ended; starting it again"),
            () = told(end.clone()) => {
                if let Err(error) = postgres.stop().await {
                    tracing::warn!(%error, "the private PostgreSQL did not stop well");
                }
                return;
            }
        }
        drop(postgres);
        postgres = loop {
            match Postgres::start(&data_dir, Durability::Durable).await {
                Ok(postgres) => break postgres,
                Err(error) => tracing::error!(%error, "the private PostgreSQL can't be started"),
            }
            tokio::select! {
                () = tokio::time::sleep(RESTART_PAUSE) => {}
                () = told(end.clone()) => return,
            }
        };
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
        let minted = keys.create(&NewKey::staff(Role::Admin, "admin", BTreeSet::new())?, now()).await?;
        write_private(&path, format!("{}\n", minted.token).as_bytes())
            .with_context(|| format!("the admin key can't be written to {}", path.display()))?;
    }
    Ok(path.exists().then_some(path))
}

async fn expire_receipts(desk: Desk, age: Duration, stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        match desk.store().expire_receipts(age).await {
            // more of them may be waiting
            Ok(1..) => continue,
            Ok(0) => {}
            Err(error) => tracing::warn!(%error, "old receipts could not be removed"),
        }
        tokio::time::sleep(EXPIRE_EVERY).await;
    }
}

/// Says where everything is, and how to begin.
fn greet(url: &str, key: Option<&Path>, database: &Database, config: &Config) -> std::io::Result<()> {
    let mut out = anstream::stderr();
    writeln!(out, "\n  Docket serves at   {url}")?;
    writeln!(out, "  its documentation  {url}/docs/")?;
    match &database.private {
        Some(postgres) => writeln!(out, "  its PostgreSQL     private, in {}", postgres.data_dir().display())?,
        None => writeln!(out, "  its PostgreSQL     {}", crate::config::redacted(&database.url))?,
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
