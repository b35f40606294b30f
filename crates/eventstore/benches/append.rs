//! Appends a second through the group commit, beside `pgbench` inserting single rows into the same
//! table, in one run on one private, durable PostgreSQL (`just bench-append`).
//!
//! Each figure is the median of three interleaved rounds: machines are shared and noisy, so only
//! the ratio within one run says anything. An append is one event of about 300 bytes to one of
//! 1,000 streams, its expected version checked, answered after the commit.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use bench::{Figures, Known, Log, Table, Threads, appends_a_second, dealt, number, setting};
use devstack::{Durability, Postgres};
use eventstore::{EventStore, Options};

const WRITERS: [usize; 4] = [1, 16, 64, 256];

fn main() -> Result<()> {
    bench::run(Threads::All, measure)
}

async fn measure(folder: &Path) -> Result<()> {
    let time = Duration::from_secs(setting("BENCH_SECONDS", 5)?);
    let rounds: usize = setting("BENCH_ROUNDS", 3)?;
    let postgres = Postgres::start(folder, Durability::Durable).await?;
    let pool = bench::prepare(&postgres, "bench").await?;

    let mut appends = WRITERS.map(|_| Figures::default());
    let mut inserts = WRITERS.map(|_| Figures::default());
    for round in 1..=rounds {
        for (index, writers) in WRITERS.into_iter().enumerate() {
            bench::empty(&pool).await?;
            inserts[index].push(bench::single_row_inserts(&postgres, "bench", writers, time)?);
            bench::empty(&pool).await?;
            let log = Log::new(EventStore::open(pool.clone(), Options::default()));
            appends[index].push(appends_a_second(&log, &mut dealt(writers, Known::fresh()), time).await?);
            eprintln!("round {round} of {rounds}, {writers} writers: done");
        }
    }
    let mut table = Table::new(["writers", "pgbench, single-row inserts", "Docket, group commit", "ratio"]);
    for (index, writers) in WRITERS.into_iter().enumerate() {
        let (insert, append) = (inserts[index].median(), appends[index].median());
        table.row([writers.to_string(), number(insert), number(append), number(append / insert)]);
    }
    table.print(&format!(
        "appends a second ({} s a cell, median of {rounds} interleaved rounds, fsync on)",
        time.as_secs()
    ));
    Ok(())
}
