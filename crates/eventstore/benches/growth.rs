//! How the cost of an append and of reading a ticket grows with the log: a small and a big database on one private,
//! durable PostgreSQL, measured in turns in one run (`just bench-growth`).
//!
//! The log is of tickets of five events, two hundred alive at once (`bench::Tickets`). Appends, by 64 writers, go to the
//! *living* tickets (the last ten thousand, as in a helpdesk) and to tickets picked *at random among all*, each of
//! them once until all have had their turn. A read is a whole stream, picked at random, by 16 readers, folded by nobody
//! and cached by no program: what PostgreSQL has in memory, it has. Before each cell a checkpoint, as the full-page
//! images that follow one belong to the cost, and a warm-up.
//!
//! `BENCH_EVENTS` is the size of the big one (10 million), `BENCH_SMALL` of the small one (100 thousand), `BENCH_SECONDS`
//! and `BENCH_WARMUP` the times of a cell, `BENCH_ROUNDS`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bench::{Figures, Known, Log, Table, Threads, Tickets, appends_a_second, dealt, number, setting};
use chrono::Utc;
use devstack::{Durability, Postgres};
use eventstore::{EventStore, Options, StreamId, StreamRange};
use sqlx::PgPool;
use tokio::task::JoinSet;

const WRITERS: usize = 64;
const READERS: usize = 16;
/// How many of the last tickets are still written to.
const LIVING: i64 = 10_000;
/// Which of the cells is the reading.
const READ: usize = 2;
const CELLS: [&str; 3] = ["append to a living ticket", "append to any ticket", "read any ticket"];

fn main() -> Result<()> {
    bench::run(Threads::All, measure)
}

/// The times of a cell.
#[derive(Clone, Copy)]
struct Times {
    warm_up: Duration,
    measured: Duration,
}

async fn measure(folder: &Path) -> Result<()> {
    let times = Times {
        warm_up: Duration::from_secs(setting("BENCH_WARMUP", 5)?),
        measured: Duration::from_secs(setting("BENCH_SECONDS", 10)?),
    };
    let rounds: usize = setting("BENCH_ROUNDS", 3)?;
    let sizes: [i64; 2] = [setting("BENCH_SMALL", 100_000)?, setting("BENCH_EVENTS", 10_000_000)?];
    let postgres = Postgres::start(folder, Durability::Durable).await?;
    let mut both = Vec::new();
    for (name, events) in ["small", "big"].into_iter().zip(sizes) {
        both.push(Side::fill(&postgres, name, events).await?);
    }
    let mut figures = vec![CELLS.map(|_| Figures::default()); both.len()];
    // reads first, while the tickets of both are of the same length: appends make the few of the small one longer
    let reads = (1..=rounds).map(|round| (round, READ));
    let appends = (1..=rounds).flat_map(|round| (0..READ).map(move |cell| (round, cell)));
    for (round, cell) in reads.chain(appends) {
        for (side, figures) in both.iter_mut().zip(&mut figures) {
            let rate = side.rate(cell, times).await?;
            let (name, events) = (CELLS[cell], side.tickets.events());
            eprintln!("round {round} of {rounds}, {name}, {events} events: {}", number(rate));
            figures[cell].push(rate);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure")]
    let events = |side: &Side| format!("{} events, per second", number(side.tickets.events() as f64));
    let mut table = Table::new(["what".to_owned(), events(&both[0]), events(&both[1]), "cost, times as much".into()]);
    for (cell, name) in CELLS.iter().enumerate() {
        let (small, big) = (figures[0][cell].median(), figures[1][cell].median());
        table.row([(*name).to_owned(), number(small), number(big), number(small / big)]);
    }
    table.print(&format!(
        "{WRITERS} writers, {READERS} readers, {} s a cell after a checkpoint and {} s of warm-up, median of {rounds} interleaved rounds, fsync on",
        times.measured.as_secs(),
        times.warm_up.as_secs()
    ));
    Ok(())
}

/// A database of one of the sizes.
struct Side {
    pool: PgPool,
    log: Log,
    store: EventStore,
    tickets: Tickets,
    living: Vec<Vec<Known>>,
    any: Vec<Vec<Known>>,
    /// Where the readers are in their walk.
    read: i64,
}

impl Side {
    async fn fill(postgres: &Postgres, name: &str, events: i64) -> Result<Self> {
        let pool = bench::prepare(postgres, name).await?;
        #[expect(clippy::disallowed_methods, reason = "a bench is an edge")]
        let tickets = Tickets::new(events, Utc::now());
        let began = Instant::now();
        tickets.fill(&pool).await?;
        eprintln!("{} events in {:.0} s", tickets.events(), began.elapsed().as_secs_f64());
        let store = EventStore::open(pool.clone(), Options::default());
        let first_living = (tickets.tickets() - LIVING).max(0);
        let known = |ticket| Known { id: tickets.id(ticket), version: tickets.version() };
        // the two must not write to the same ones, or a version would not be what is known of it
        let living = dealt(WRITERS, (first_living..tickets.tickets()).filter(|n| n % 2 == 0).map(known));
        let others = (0..tickets.tickets()).map(|n| shuffled(n, tickets.tickets()));
        let any = dealt(WRITERS, others.filter(|n| *n < first_living || n % 2 == 1).map(known));
        Ok(Self { log: Log::new(store.clone()), pool, store, tickets, living, any, read: 0 })
    }

    async fn rate(&mut self, cell: usize, times: Times) -> Result<f64> {
        sqlx::query("checkpoint").execute(&self.pool).await?;
        let mut rate = 0.0;
        for time in [times.warm_up, times.measured] {
            rate = match cell {
                0 => appends_a_second(&self.log, &mut self.living, time).await?,
                1 => appends_a_second(&self.log, &mut self.any, time).await?,
                _ => self.reads_a_second(time).await?,
            };
        }
        Ok(rate)
    }

    async fn reads_a_second(&mut self, time: Duration) -> Result<f64> {
        let began = Instant::now();
        let next = Arc::new(AtomicI64::new(self.read));
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            let (store, tickets, next) = (self.store.clone(), self.tickets, next.clone());
            readers.spawn(async move {
                while began.elapsed() < time {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let ticket = shuffled(n % tickets.tickets(), tickets.tickets());
                    let events = store.read_stream(StreamId(tickets.id(ticket)), StreamRange::default()).await?;
                    ensure!(events.len() >= 5, "a ticket has {} events", events.len());
                }
                anyhow::Ok(())
            });
        }
        while let Some(reader) = readers.join_next().await {
            reader??;
        }
        let last = next.load(Ordering::Relaxed);
        let done = last - std::mem::replace(&mut self.read, last);
        #[expect(clippy::cast_precision_loss, reason = "a figure")]
        Ok(done as f64 / began.elapsed().as_secs_f64())
    }
}

/// A walk over all numbers below `count` that looks random: each once, far from the one before it.
fn shuffled(n: i64, count: i64) -> i64 {
    // a prime beyond any count here: it has no divisor in common with it
    n * 2_654_435_761 % count
}
