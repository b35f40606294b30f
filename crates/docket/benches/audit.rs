//! Events a second of `docket audit verify`, `audit relay` and `audit replay`, beside a plain ordered read of the same
//! log, in one run on one private, durable PostgreSQL and one private NATS (`just bench-audit`).
//!
//! The log is of tickets of five events (`bench::Tickets`), and one long one for `replay`. Each figure is of the command
//! as it is given at a terminal, from its start to its end, beside a server that has nothing else to do. `verify` reads the log along
//! positions, along tickets, and once more for the read models.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bench::{Client, Docket, Figures, Table, Threads, Tickets, number, setting};
use devstack::{Durability, Nats, Postgres};
use eventstore::{EventStore, Options, Position};
use serde_json::Value;
use sqlx::PgPool;

const PROGRAM: &str = env!("CARGO_BIN_EXE_docket");
/// What follows the log must have come to its end before it is audited.
const PATIENCE: Duration = Duration::from_mins(5);
/// A ticket that was not resolved, in the middle of the log.
const LONG: i64 = 101;

fn main() -> Result<()> {
    bench::run(Threads::All, measure)
}

async fn measure(folder: &Path) -> Result<()> {
    let rounds: usize = setting("BENCH_ROUNDS", 3)?;
    let notes: i64 = setting("BENCH_LONG", 20_000)?;
    #[expect(clippy::disallowed_methods, reason = "a bench is an edge")]
    let tickets = Tickets::new(setting("BENCH_EVENTS", 200_000)?, chrono::Utc::now());
    let (postgres, nats) = tokio::try_join!(Postgres::start(folder, Durability::Durable), Nats::start(folder))?;
    let docket = Docket::start(PROGRAM, folder, &postgres, Some(&nats)).await?;
    let pool = PgPool::connect(&postgres.url("docket")).await?;
    tickets.fill(&pool).await?;
    tickets.lengthen(&pool, LONG, notes).await?;
    let store = EventStore::open(pool, Options::default());
    let head = store.head().await?.0;
    caught_up(&docket, head).await?;

    let long = tickets.id(LONG).to_string();
    let commands: [(&str, &[&str], i64); 3] = [
        ("`docket audit verify`", &["audit", "verify", "--json"], head),
        ("`docket audit relay`", &["audit", "relay", "--json"], head),
        ("`docket audit replay` of one long ticket", &["audit", "replay", &long, "--json"], notes + tickets.version()),
    ];
    let mut reads = Figures::default();
    let mut rates = commands.map(|_| Figures::default());
    for round in 1..=rounds {
        reads.push(per_second(head, plain_read(&store).await?));
        for ((name, arguments, events), rate) in commands.iter().zip(&mut rates) {
            rate.push(per_second(*events, timed(docket.beside(PROGRAM).args(*arguments))?));
            eprintln!("round {round} of {rounds}, {name}: done");
        }
    }
    let plain = reads.median();
    let mut table = Table::new(["what", "events/s", "of a plain ordered read"]);
    table.row(["plain ordered read", &number(plain), "1"]);
    for ((name, ..), rate) in commands.iter().zip(&rates) {
        table.row([*name, &number(rate.median()), &number(rate.median() / plain)]);
    }
    table.print(&format!("{head} events, {notes} of them in one ticket (median of {rounds} interleaved rounds)"));
    Ok(())
}

fn per_second(events: i64, time: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a figure")]
    let events = events as f64;
    events / time.as_secs_f64()
}

/// Waits until read models and broker hold the whole log.
async fn caught_up(docket: &Docket, head: i64) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut client = Client::connect(docket.address, &docket.key).await?;
    loop {
        let answer = client.get("/v1/projections", None).await?;
        let models: Value = serde_json::from_slice(answer.body)?;
        let models = models["items"].as_array().context("no read models")?;
        let answer = client.get("/health/readiness", None).await?;
        let health: Value = serde_json::from_slice(answer.body)?;
        let relayed = health["relay"]["position"].as_i64();
        if relayed == Some(head) && models.iter().all(|model| model["position"].as_i64() == Some(head)) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the followers don't come to {head}: {models:?}, {relayed:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The time of a command that must find nothing to complain of.
fn timed(command: &mut Command) -> Result<Duration> {
    let began = Instant::now();
    let output = command.stdin(Stdio::null()).output()?;
    let took = began.elapsed();
    let (found, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?}: {said}{}", &found[..found.len().min(2_000)]);
    Ok(took)
}

async fn plain_read(store: &EventStore) -> Result<Duration> {
    let began = Instant::now();
    let mut after = Position(0);
    while let Some(last) = store.read_page(after, 8_000).await?.last() {
        after = last.position;
    }
    Ok(began.elapsed())
}
