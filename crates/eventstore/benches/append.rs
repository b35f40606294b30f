//! Appends a second through the group commit, beside `pgbench` inserting single rows into the same
//! table, in one run on one private, durable PostgreSQL (`just bench-append`).
//!
//! Each figure is the median of three interleaved rounds: machines are shared and noisy, so only
//! the ratio within one run says anything. An append is one event of about 300 bytes to one of
//! 1,000 streams, its expected version checked, answered after the commit.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "it prints figures")]

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use chrono::Utc;
use devstack::{Durability, Postgres};
use eventstore::{
    Append, CommandId, EventStore, Expected, Metadata, NewEvent, Options, Outcome, StreamId, Unit, Version,
};
use sqlx::PgPool;
use uuid::Uuid;

const WRITERS: [usize; 4] = [1, 16, 64, 256];
const STREAMS: u128 = 1_000;
const ROUNDS: usize = 3;

fn main() -> Result<()> {
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(5);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(Duration::from_secs(seconds)))
}

async fn run(time: Duration) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("docket-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let postgres = Postgres::start(&folder, Durability::Durable).await?;
    let result = measure(&postgres, time).await;
    postgres.stop().await?;
    std::fs::remove_dir_all(&folder)?;
    result
}

async fn measure(postgres: &Postgres, time: Duration) -> Result<()> {
    postgres.ensure_database("bench").await?;
    let url = postgres.url("bench");
    let pool = PgPool::connect(&url).await?;
    eventstore::MIGRATOR.run(&pool).await?;
    sqlx::query("create sequence pgbench_position").execute(&pool).await?;

    let mut appends = vec![Vec::new(); WRITERS.len()];
    let mut inserts = vec![Vec::new(); WRITERS.len()];
    for round in 0..ROUNDS {
        for (index, writers) in WRITERS.into_iter().enumerate() {
            clear(&pool).await?;
            inserts[index].push(pgbench(postgres, &url, writers, time)?);
            clear(&pool).await?;
            appends[index].push(group_commit(&pool, writers, time).await?);
            eprintln!("round {} of {ROUNDS}, {writers} writers: done", round + 1);
        }
    }
    println!("appends a second ({} s a cell, median of {ROUNDS} interleaved rounds, fsync on)\n", time.as_secs());
    println!("| writers | pgbench, single-row inserts | Docket, group commit | ratio |");
    println!("|--:|--:|--:|--:|");
    for (index, writers) in WRITERS.into_iter().enumerate() {
        let (insert, append) = (median(&mut inserts[index]), median(&mut appends[index]));
        println!("| {writers} | {insert:.0} | {append:.0} | {:.2} |", append / insert);
    }
    Ok(())
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// An empty table for each cell, so that none pays for another's rows.
async fn clear(pool: &PgPool) -> Result<()> {
    sqlx::raw_sql(
        "alter table events disable trigger all; truncate events;
         alter table events enable always trigger events_refuse_change;
         alter table events enable always trigger events_refuse_truncate;
         alter sequence pgbench_position restart; checkpoint",
    )
    .execute(pool)
    .await?;
    Ok(())
}

async fn group_commit(pool: &PgPool, writers: usize, time: Duration) -> Result<f64> {
    let store = EventStore::open(pool.clone(), Options::default());
    let done = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..writers {
        let (store, done) = (store.clone(), done.clone());
        tasks.spawn(async move { write(&store, writer, writers, started + time, &done).await });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64())
}

/// One client: appends to its share of the streams in turn, each at the version it knows.
async fn write(store: &EventStore, writer: usize, writers: usize, end: Instant, done: &AtomicU64) -> Result<()> {
    let mut streams =
        (0..STREAMS).filter(|n| *n as usize % writers == writer).map(|n| (Uuid::from_u128(n), 0)).collect::<Vec<_>>();
    let mut command = (writer as u128) << 64;
    loop {
        for (stream, version) in &mut streams {
            if Instant::now() >= end {
                return Ok(());
            }
            command += 1;
            let answer = store.append(unit(*stream, *version, Uuid::from_u128(command))).await?;
            if !matches!(answer, Outcome::Appended(_)) {
                bail!("unexpected answer: {answer:?}");
            }
            *version += 1;
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn payload() -> String {
    format!(r#"{{"message_id":"0195c9a0-0000-7000-8000-000000000000","body":"{}"}}"#, "x".repeat(230))
}

fn unit(stream: Uuid, version: i64, command: Uuid) -> Unit {
    Unit {
        metadata: Metadata { command_id: CommandId(command), traceparent: None, extra: serde_json::Map::new() },
        appends: vec![Append {
            stream_id: StreamId(stream),
            expected: Expected::Exact(Version(version)),
            events: vec![NewEvent {
                event_type: "ticket.public_reply_added".into(),
                schema_version: 1,
                payload: payload(),
                #[expect(clippy::disallowed_methods, reason = "a bench is an edge")]
                occurred_at: Utc::now(),
            }],
        }],
        receipt: None,
        aliases: Vec::new(),
    }
}

fn pgbench(postgres: &Postgres, url: &str, clients: usize, time: Duration) -> Result<f64> {
    let script = std::env::temp_dir().join(format!("docket-bench-{}.sql", std::process::id()));
    std::fs::write(
        &script,
        format!(
            "\\set s random(1, {STREAMS})\n\
             insert into events select p, lpad(:s::text, 32, '0')::uuid, p, 'ticket.public_reply_added', 1, \
             '{}', '{{\"command_id\":\"0195c9a0-0000-7000-8000-000000000000\"}}', now(), now() \
             from nextval('pgbench_position') p;\n",
            payload()
        ),
    )?;
    let program = ["pgbench".into(), postgres.bin_dir().join("pgbench")]
        .into_iter()
        .find(|p| Command::new(p).arg("--version").output().is_ok())
        .context("pgbench is not installed (Debian: postgresql-contrib)")?;
    let output = Command::new(program)
        .args(["-n", "-M", "prepared", "-j", "2", "-c", &clients.to_string(), "-T", &time.as_secs().to_string()])
        .arg("-f")
        .arg(&script)
        .arg(url)
        .output()?;
    std::fs::remove_file(&script)?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
        .with_context(|| format!("pgbench: {}", String::from_utf8_lossy(&output.stderr)))
}
