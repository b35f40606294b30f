//! The fault checker (docs/adr/0022). It runs real `docket` processes on a real PostgreSQL and NATS, records what clients sent
//! and received, injects faults on a seeded schedule, and then compares what was stored with what was answered. It fails
//! when an invariant is violated.
#![forbid(unsafe_code)]

mod client;
mod disk;
mod docket;
mod faults;
mod follow;
mod history;
mod planted;
mod proxy;
mod readers;
mod recovery;
mod report;
mod rules;
mod run;
mod schedule;
mod stores;
mod verify;
mod world;
mod writers;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use faults::Fault;
use planted::Bug;
use recovery::Limits;
use report::{Report, say};
use run::Plan;

/// Inject faults into Docket and check its invariants
#[derive(Debug, Parser)]
#[command(name = "docket-faults", max_term_width = 100)]
#[command(after_help = "Exit codes: 0 all invariants hold (or, with --planted, every bug was caught), 1 not.")]
struct Cli {
    /// The `docket` to attack, built with the feature `failpoints`, or `planted-bugs`
    #[arg(long, default_value = "target/debug/docket")]
    docket: PathBuf,
    /// Seed of the schedule; the same seed gives the same schedule [default: random]
    #[arg(long)]
    seed: Option<u64>,
    /// How long faults are injected, in seconds
    #[arg(long, default_value_t = 600)]
    duration: u64,
    /// The faults to inject, separated by commas [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    faults: Vec<Fault>,
    /// Limit for writes to succeed after a fault, in seconds
    #[arg(long, default_value_t = 10)]
    recovery_writes: u64,
    /// Limit for every reader to catch up after a fault, in seconds
    #[arg(long, default_value_t = 60)]
    recovery_readers: u64,
    /// Number of clients that write
    #[arg(long, default_value_t = 8)]
    writers: u64,
    /// The pause of a client between two commands, in milliseconds
    #[arg(long, default_value_t = 40)]
    pace: u64,
    /// How long a leader is paused, in seconds; PostgreSQL ends a session that is silent for 15
    #[arg(long, default_value_t = 20)]
    pause: u64,
    /// Write the report to this file, as JSON
    #[arg(long)]
    report: Option<PathBuf>,
    /// Keep the processes' logs in this directory if an invariant is violated
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Plant a bug and expect the checker to catch it: a name, or `all`
    #[arg(long)]
    planted: Option<String>,
}

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        let told = async {
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::select! {
                told = tokio::signal::ctrl_c() => told,
                _ = terminate.recv() => Ok(()),
            }
        };
        // what it has started and mounted goes with it
        tokio::select! {
            result = check(&cli) => result,
            told = told => told.map_err(Into::into).and_then(|()| bail!("stopped before its end")),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(2));
    result
}

async fn check(cli: &Cli) -> Result<ExitCode> {
    let program = std::path::absolute(&cli.docket)?;
    ensure!(program.is_file(), "there is no {}; build it with --features failpoints", program.display());
    let plan = Plan {
        program,
        seed: cli.seed.unwrap_or_else(|| rand::random_range(0..1_000_000)),
        duration: Duration::from_secs(cli.duration),
        faults: if cli.faults.is_empty() { Fault::value_variants().to_vec() } else { cli.faults.clone() },
        limits: Limits {
            writes: Duration::from_secs(cli.recovery_writes),
            readers: Duration::from_secs(cli.recovery_readers),
        },
        writers: cli.writers,
        pace: Duration::from_millis(cli.pace),
        pause: Duration::from_secs(cli.pause),
        planted: String::new(),
        keep: cli.keep.clone(),
    };
    if let Some(name) = &cli.planted {
        return planted(name, plan).await;
    }
    say(&format!("seed {}, {} s of faults", plan.seed, plan.duration.as_secs()));
    let report = run::run(&plan).await?;
    report.print(&mut anstream::stdout())?;
    if let Some(file) = &cli.report {
        std::fs::write(file, format!("{:#}\n", report.json())).context("the report can't be written")?;
    }
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Each bug in a run of its own.
async fn planted(name: &str, plan: Plan) -> Result<ExitCode> {
    let bugs = match name {
        "all" => Bug::value_variants().to_vec(),
        name => vec![Bug::from_str(name, true).ok().with_context(|| format!("no bug is called {name}"))?],
    };
    let mut missed = 0;
    for bug in bugs {
        let name = bug.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        say(&format!("planted: {name} (seed {})", plan.seed));
        let plan = Plan { planted: bug.failpoint().to_owned(), faults: bug.faults().to_vec(), ..plan.clone() };
        let report: Report = run::run(&plan).await?;
        report.print(&mut anstream::stdout())?;
        let caught = bug.is_caught_by(&report);
        say(&format!("planted: {name}: {}", if caught { "caught" } else { "NOT CAUGHT" }));
        missed += u32::from(!caught);
    }
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
