//! Events a second of a rebuild, beside a plain ordered read of the same log through the same driver, in one run on one
//! private, durable PostgreSQL (`just bench-rebuild`).
//!
//! The log: tickets of five events on average, two hundred of them alive at once, texts of a usual length. A rebuild is
//! all of it, from the request to the swap: filling, indexes, the comparison with the generation that it replaces. The
//! figures are medians of three rounds; machines are shared and noisy, so that the ratio says more than they do.

#![expect(clippy::cast_precision_loss, reason = "it makes figures")]

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bench::{Figures, Table, Threads, Tickets, number, setting};
use chrono::Utc;
use devstack::{Durability, Postgres};
use eventstore::{EventStore, Options, Position};
use projections::{Projections, Reader};

fn main() -> Result<()> {
    bench::run(Threads::All, measure)
}

async fn measure(folder: &Path) -> Result<()> {
    let rounds: usize = setting("BENCH_ROUNDS", 3)?;
    #[expect(clippy::disallowed_methods, reason = "a bench is an edge")]
    let tickets = Tickets::new(setting("BENCH_EVENTS", 200_000)?, Utc::now());
    let postgres = Postgres::start(folder, Durability::Durable).await?;
    let pool = bench::prepare(&postgres, "bench").await?;
    eventsourcing::MIGRATOR.run(&pool).await?;
    projections::MIGRATOR.run(&pool).await?;
    tickets.fill(&pool).await?;
    let store = EventStore::open(pool.clone(), Options::default());
    let head = store.head().await?;

    let projections = Projections::new(store.clone(), pool);
    let reader = projections.reader();
    let running = tokio::spawn(projections.run(std::future::pending()));
    for name in projections::names() {
        serves(&reader, name, 1).await?;
    }
    let names: Vec<_> = projections::names().collect();
    let (mut reads, mut rebuilds) = (Figures::default(), vec![Figures::default(); names.len()]);
    for _ in 0..rounds {
        reads.push(rate(head, plain_read(&store).await?));
        for (index, name) in names.iter().enumerate() {
            let began = Instant::now();
            let generation = reader.rebuild(name).await?.context("a projection")?;
            let status = serves(&reader, name, generation).await?;
            anyhow::ensure!(status.comparison.as_deref() == Some("equal"), "{status:?}");
            rebuilds[index].push(rate(head, began.elapsed()));
        }
    }
    running.abort();
    let read = reads.median();
    let mut table = Table::new(["what", "events/s", "of a plain ordered read"]);
    table.row(["plain ordered read", &number(read), "1"]);
    for (name, rates) in names.iter().zip(&rebuilds) {
        let rebuilt = rates.median();
        table.row([format!("rebuild of {name}"), number(rebuilt), number(rebuilt / read)]);
    }
    table.print(&format!("{head} events (median of {rounds} rounds, fsync on)"));
    Ok(())
}

fn rate(head: Position, time: Duration) -> f64 {
    head.0 as f64 / time.as_secs_f64()
}

async fn plain_read(store: &EventStore) -> Result<Duration> {
    let began = Instant::now();
    let mut after = Position(0);
    loop {
        let page = store.read_page(after, 8_000).await?;
        match page.last() {
            Some(last) => after = last.position,
            None => return Ok(began.elapsed()),
        }
    }
}

async fn serves(reader: &Reader, name: &str, generation: i32) -> Result<projections::Status> {
    loop {
        let all = reader.status().await?;
        if let Some(status) =
            all.into_iter().find(|s| s.name == name && s.generation == generation && s.state == "live")
        {
            return Ok(status);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
