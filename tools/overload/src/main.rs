//! Attacks a release build of `docket serve` on loopback and checks the promises of docs/adr/0023: other callers' 99th
//! percentile stays within twice the quiet one, 503 and 429 carry `Retry-After`, memory stays flat, recovery takes at most
//! 30 s, and no acknowledged event is lost. Fails if a promise is broken.
#![forbid(unsafe_code)]

mod attack;
mod connection;
mod ledger;
mod server;
mod steady;
mod verdict;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::{Value, json};

use attack::{Attack, Long, Tally, Target};
use ledger::Ledger;
use server::Server;
use steady::Steady;
use verdict::{Report, Row};

/// Attack a Docket server and report which promises it keeps.
#[derive(Parser)]
struct Args {
    /// The `docket` binary
    #[arg(long, default_value = "target/release/docket")]
    docket: PathBuf,
    /// Run only attacks whose name contains one of these
    only: Vec<String>,
    /// Number of steady callers
    #[arg(long, default_value_t = 8)]
    callers: u32,
    /// Requests per second of all steady callers together
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// How long latency is measured before each attack, in seconds
    #[arg(long, default_value_t = 10)]
    quiet: u64,
    /// Repetitions of each attack; the median counts
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    raise_open_files()?;
    let report = tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(&args))?;
    let mut out = std::io::stdout();
    if args.json {
        writeln!(out, "{:#}", json!(report))?;
    } else {
        writeln!(out, "{report}")?;
    }
    Ok(if report.is_kept() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Ten thousand connections are as many files.
fn raise_open_files() -> Result<()> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    anyhow::ensure!(hard > attack::IDLE as u64 + 500, "only {hard} files may be open: ulimit -Hn");
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}

async fn run(args: &Args) -> Result<Report> {
    let chosen =
        attack::all().into_iter().filter(|a| args.only.is_empty() || args.only.iter().any(|o| a.name.contains(&**o)));
    let chosen = chosen.collect::<Vec<_>>();
    let names = attack::all().iter().map(|attack| attack.name).collect::<Vec<_>>().join(", ");
    anyhow::ensure!(
        !chosen.is_empty(),
        "no attack has one of these in its name: {}; there are {names}",
        args.only.join(", ")
    );
    let mut server = Server::start(&args.docket)?;
    let ledger = Ledger::default();
    let target = prepare(&server, &ledger).await?;
    let steady = Steady::start(&server, args.callers, args.rate, &ledger).await?;
    // caches fill, connections are made
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut rows = Vec::new();
    for round in 0..args.rounds {
        for attack in &chosen {
            eprintln_progress(&format!("round {} of {}: {}", round + 1, args.rounds, attack.what))?;
            rows.push(phase(&server, &steady, &target, *attack, Duration::from_secs(args.quiet)).await?);
            anyhow::ensure!(server.is_running(), "the server has ended");
        }
    }
    let running = server.memory();
    drop(steady);
    // what is under way comes to its end
    tokio::time::sleep(Duration::from_secs(2)).await;
    let account = ledger.compare(&target.database).await?;
    server.run(&["audit", "verify"]).context("the audit finds something")?;
    Ok(Report::of(rows, account, running))
}

fn eprintln_progress(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stderr(), "{text}")?)
}

/// Keys and tickets for the attackers.
async fn prepare(server: &Server, ledger: &Ledger) -> Result<Target> {
    let mut keys = Vec::new();
    for n in 0..8 {
        keys.push(server.key(&format!("attacker{n}"))?);
    }
    let known = server.key("bystander")?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut tickets = Vec::new();
    for key in keys.iter().cycle().take(64) {
        let body = json!({"subject": "attacked", "body": "Please help."});
        let opened = http.post(server.url("/v1/tickets")).bearer_auth(key).json(&body).send().await?;
        let ticket: Value = opened.error_for_status()?.json().await?;
        tickets.push(format!("/v1/tickets/{}", ticket["id"].as_str().context("no id")?));
    }
    let open = json!({"subject": "long", "body": "Please help."});
    let opened =
        http.post(server.url("/v1/tickets")).bearer_auth(&keys[0]).json(&open).send().await?.error_for_status()?;
    let position = opened.headers().get("docket-position").context("no Docket-Position")?.to_str()?.parse()?;
    let ticket: Value = opened.json().await?;
    let long = Long { ticket: format!("/v1/tickets/{}", ticket["id"].as_str().context("no id")?), position };
    let reply = json!({"body": "x ".repeat(Long::BYTES / 2)});
    for _ in 0..Long::REPLIES {
        let replies = server.url(&format!("{}/replies", long.ticket));
        http.post(replies).bearer_auth(&keys[0]).json(&reply).send().await?.error_for_status()?;
    }
    Ok(Target {
        long,
        address: server.address,
        database: server.database.clone(),
        keys,
        tickets,
        known_id: known[3..19].to_owned(),
        ledger: ledger.clone(),
        tally: Tally::default(),
    })
}

/// Quiet, the attack, and what comes after it.
async fn phase(server: &Server, steady: &Steady, target: &Target, attack: Attack, quiet: Duration) -> Result<Row> {
    let began = Instant::now();
    tokio::time::sleep(quiet).await;
    let before = steady.since(began);
    let (memory, busy) = (server.memory(), (server.busy(), server::busy("self")));

    let began = Instant::now();
    // on a thread of its own: what it does is not to delay the clocks of the callers
    let target_ = target.clone();
    let attacker = std::thread::spawn(move || -> Result<()> {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(attack.run(target_))
    });
    let mut peak = 0;
    while !attacker.is_finished() {
        peak = peak.max(server.memory());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    attacker.join().map_err(|_| anyhow::anyhow!("the attacker panicked"))??;
    let over = Instant::now();
    let busy = (server.busy().saturating_sub(busy.0), server::busy("self").saturating_sub(busy.1));

    let recovered = recovery(steady, over).await;
    // those that were sent during the attack have been answered by now
    let during = steady.since(began).into_iter().filter(|sample| sample.due < over).collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(Row {
        attack,
        before,
        during,
        lasted: over - began,
        recovered,
        memory: (memory, peak, server.memory()),
        busy,
        answers: target.tally.take(),
    })
}

/// How long after the attack it took until a second's requests were all answered.
async fn recovery(steady: &Steady, over: Instant) -> Option<Duration> {
    let deadline = over + Duration::from_secs(40);
    let mut from = over;
    while Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let since = steady.since(from);
        if let Some(last) = since.iter().filter(|sample| !sample.is_answered()).map(|sample| sample.due).max() {
            from = last + Duration::from_millis(1);
        } else if from.elapsed() > Duration::from_secs(1) && since.len() > 10 {
            return Some(from - over);
        }
    }
    None
}
