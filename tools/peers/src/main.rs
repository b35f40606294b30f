//! Other event stores beside ours, in one run on one private, durable PostgreSQL, each through its public API
//! (`just bench-peers`).
//!
//! An append is one event of about 300 bytes to one of 1,000 streams, its expected version checked, answered after the
//! commit. A writer sends the next one when the last is committed; no two write to the same stream. Every cell has a
//! database of its own, made by the store's own means, and a checkpoint before it. What helps a peer is done: as many
//! connections as writers, all made before the clock starts; for those that are not in Rust a process a core.
//!
//! `BENCH_SECONDS` (a cell), `BENCH_ROUNDS`, `BENCH_WRITERS` (1,16,64); `BENCH_WITHOUT` names peers to leave out, where
//! node or Python is missing.

mod scripts;
mod stores;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench::{Figures, Table, Threads, number, setting};
use devstack::{Durability, Postgres};
use stores::Peer;

/// The database of a cell.
const DATABASE: &str = "cell";

fn main() -> Result<()> {
    bench::run(Threads::All, measure)
}

async fn measure(folder: &Path) -> Result<()> {
    let time = Duration::from_secs(setting("BENCH_SECONDS", 5)?);
    let rounds: usize = setting("BENCH_ROUNDS", 3)?;
    let writers = setting("BENCH_WRITERS", "1,16,64".to_owned())?;
    let writers = writers.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>().context("BENCH_WRITERS")?;
    let without: String = setting("BENCH_WITHOUT", String::new())?;
    let without: Vec<&str> = without.split(',').filter(|name| !name.is_empty()).collect();
    let unknown = without.iter().find(|name| Peer::ALL.iter().all(|peer| peer.name() != **name));
    ensure!(unknown.is_none(), "BENCH_WITHOUT: there is no peer {}", unknown.unwrap_or(&""));
    let peers: Vec<Peer> = Peer::ALL.into_iter().filter(|peer| !without.contains(&peer.name())).collect();
    scripts::install(&peers)?;

    let postgres = Postgres::start(folder, Durability::Durable).await?;
    let mut figures = vec![vec![Figures::default(); writers.len()]; peers.len()];
    for round in 1..=rounds {
        for (column, writers) in writers.iter().enumerate() {
            for (row, peer) in peers.iter().enumerate() {
                anew(&postgres).await?;
                let figure = peer.measure(&postgres, DATABASE, *writers, time).await;
                let figure = figure.with_context(|| format!("{}, {writers} writers", peer.name()))?;
                eprintln!("round {round} of {rounds}, {writers} writers, {}: {}", peer.name(), number(figure));
                figures[row][column].push(figure);
            }
        }
    }
    print(&peers, &writers, &figures, time, rounds);
    if !without.is_empty() {
        eprintln!("left out, as BENCH_WITHOUT says: {}", without.join(", "));
    }
    Ok(())
}

/// An empty database.
async fn anew(postgres: &Postgres) -> Result<()> {
    let admin = sqlx::PgPool::connect(&postgres.url("postgres")).await?;
    sqlx::query(&format!("drop database if exists {DATABASE} with (force)")).execute(&admin).await?;
    postgres.ensure_database(DATABASE).await?;
    sqlx::query("checkpoint").execute(&admin).await?;
    admin.close().await;
    Ok(())
}

fn print(peers: &[Peer], writers: &[usize], figures: &[Vec<Figures>], time: Duration, rounds: usize) {
    let last = writers.len() - 1;
    let median = |wanted: Peer| peers.iter().position(|peer| *peer == wanted).map(|row| figures[row][last].median());
    let yardstick = median(Peer::Pgbench).unwrap_or(f64::NAN);
    let docket = median(Peer::Docket).unwrap_or(f64::NAN);
    let count = |n: usize| if n == 1 { "1 writer".to_owned() } else { n.to_string() };
    let mut heads = vec!["appends a second".to_owned()];
    heads.extend(writers.iter().map(|n| count(*n)));
    heads.push(format!("{} against pgbench", writers[last]));
    heads.push("Docket against it".to_owned());
    let mut table = Table::new(heads);
    for (peer, row) in peers.iter().zip(figures) {
        let mut cells = vec![peer.title().to_owned()];
        cells.extend(row.iter().map(|figures| number(figures.median())));
        cells.push(number(row[last].median() / yardstick));
        cells.push(number(docket / row[last].median()));
        table.row(cells);
    }
    table.print(&format!("{} s a cell, median of {rounds} interleaved rounds, fsync on", time.as_secs()));
    let others = peers.iter().filter(|peer| !matches!(peer, Peer::Pgbench | Peer::Docket));
    let best = others.max_by(|a, b| f64::total_cmp(&median(**a).unwrap_or(0.0), &median(**b).unwrap_or(0.0)));
    if let Some(best) = best {
        let ratio = docket / median(*best).unwrap_or(f64::NAN);
        println!(
            "\nThe best peer at {} writers is {}: Docket appends {ratio:.1} times as much.",
            writers[last],
            best.name()
        );
    }
}
