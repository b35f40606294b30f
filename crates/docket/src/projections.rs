//! `docket projections`: how the read models are, and what an operator does about them.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use ::projections::{self as read_models, Action, Projections, Reader, Status};
use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use desk::{Desk, DeskError};
use eventstore::StreamId;
use ticket_aggregate::TicketNumber;

use crate::terminal::{self, columns, grouped, printable, progress_bar};

/// How long an answer of the projection's leader is waited for.
const WAIT: Duration = Duration::from_secs(30);
/// How often it is looked how far a rebuild is.
const LOOK: Duration = Duration::from_millis(100);
/// The exit code where something is parked.
const PARKED: u8 = 2;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show how far each read model has read the log, and which tickets it passes over
    ///
    /// Exit codes: 0 all is well, 2 tickets are parked.
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Fill a read model anew, beside the one that serves, which it then replaces
    ///
    /// Can be stopped: the server, or the next call, goes on where it was.
    Rebuild {
        /// Which: tickets, queues
        name: String,
    },
    /// Try a parked ticket again, from the event that could not be applied
    Retry {
        /// The read model
        name: String,
        /// The ticket: its number or its id
        ticket: String,
    },
    /// Leave out the event that could not be applied, and go on after it; it is written down who, when and why
    Skip {
        /// The read model
        name: String,
        /// The ticket: its number or its id
        ticket: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who decides it [default: the user of this terminal]
        #[arg(long, env = "USER", default_value = "cli")]
        by: String,
    },
}

pub(crate) async fn run(desk: &Desk, projections: Projections, command: &Command) -> anyhow::Result<ExitCode> {
    let reader = projections.reader();
    if let Command::Status { json } = command {
        return status(&reader, *json).await;
    }
    // where no server runs, this process does the work; where one does, it leads, and this one stands by
    let work = async {
        match command {
            Command::Status { .. } => Ok(ExitCode::SUCCESS),
            Command::Rebuild { name } => rebuild(&reader, name).await,
            Command::Retry { name, ticket } => repair(desk, &reader, name, ticket, &Action::Retry, "cli").await,
            Command::Skip { name, ticket, reason, by } => {
                ensure!(!reason.trim().is_empty(), "a skip needs a --reason: it is what remains of the event here");
                repair(desk, &reader, name, ticket, &Action::Skip { reason: reason.clone() }, by).await
            }
        }
    };
    tokio::select! {
        done = work => done,
        () = projections.run(std::future::pending()) => Ok(ExitCode::FAILURE),
    }
}

async fn status(reader: &Reader, json: bool) -> anyhow::Result<ExitCode> {
    let all = reader.status().await.context("the read models can't be looked at")?;
    let mut out = anstream::stdout();
    if json {
        writeln!(out, "{}", terminal::json(&all)?)?;
    } else {
        print(&mut out, &all)?;
    }
    let parked = all.iter().any(|status| status.parked_streams > 0);
    Ok(if parked { ExitCode::from(PARKED) } else { ExitCode::SUCCESS })
}

fn print(out: &mut impl Write, all: &[Status]) -> anyhow::Result<()> {
    if all.is_empty() {
        return Ok(writeln!(out, "There are none yet: a running server makes them.")?);
    }
    let header = ["NAME", "GENERATION", "STATE", "POSITION", "BEHIND", "FOR", "PARKED", "COMPARED WITH THE ONE BEFORE"];
    let mut table = columns(header, &[1, 3, 4, 5, 6]);
    for status in all {
        table.add_row([
            status.name.clone(),
            status.generation.to_string(),
            state(status),
            grouped(status.position.0.unsigned_abs()),
            grouped(status.lag_events.unsigned_abs()),
            format!("{:.1} s", status.lag_seconds),
            grouped(status.parked_streams.unsigned_abs()),
            printable(status.comparison.as_deref().unwrap_or_default()),
        ]);
    }
    writeln!(out, "{table}")?;
    for (status, fault) in all.iter().flat_map(|status| status.faults.iter().map(move |fault| (status, fault))) {
        let (name, ticket, error) = (&status.name, fault.stream, printable(&fault.error));
        let since = fault.since.format("%Y-%m-%d %H:%M:%S");
        let (version, position) = (fault.version, fault.position);
        writeln!(
            out,
            "\n{name}: ticket {ticket} is parked since {since} at version {version} (position {position}):\n  {error}\n  \
             docket projections retry {name} {ticket}\n  docket projections skip {name} {ticket} --reason …",
        )?;
    }
    Ok(())
}

fn state(status: &Status) -> String {
    match (status.rate, status.eta_seconds) {
        (Some(rate), Some(eta)) => format!("{}, {rate:.0}/s, {eta:.0} s left", status.state),
        _ => status.state.clone(),
    }
}

async fn rebuild(reader: &Reader, name: &str) -> anyhow::Result<ExitCode> {
    let Some(generation) = reader.rebuild(name).await? else { return unknown(name) };
    let bar = progress_bar(0, "events", false);
    let done = loop {
        let all = reader.status().await?;
        let Some(status) = all.into_iter().find(|s| s.name == name && s.generation == generation) else {
            bail!("the rebuild was given up: a newer program has begun another");
        };
        bar.set_length(status.head.0.unsigned_abs());
        bar.set_position(status.position.0.unsigned_abs());
        if status.state == "live" {
            break status;
        }
        tokio::time::sleep(LOOK).await;
    };
    bar.finish_and_clear();
    let comparison = done.comparison.unwrap_or_default();
    let events = grouped(done.position.0.unsigned_abs());
    writeln!(
        anstream::stdout(),
        "{name}: generation {generation} serves, at position {events}. {}",
        compared(&comparison)
    )?;
    Ok(if comparison.starts_with("differs") { ExitCode::from(PARKED) } else { ExitCode::SUCCESS })
}

fn compared(comparison: &str) -> String {
    match comparison {
        "equal" => "It equals the one before.".to_owned(),
        other => format!("Compared with the one before: {}.", printable(other)),
    }
}

fn unknown(name: &str) -> anyhow::Result<ExitCode> {
    bail!("there is no read model {name:?}; there are {}", read_models::names().collect::<Vec<_>>().join(", "))
}

async fn repair(
    desk: &Desk,
    models: &Reader,
    name: &str,
    ticket: &str,
    action: &Action,
    by: &str,
) -> anyhow::Result<ExitCode> {
    let stream = stream(desk, ticket).await?;
    match models.repair(name, stream, action, by, WAIT).await? {
        None => unknown(name),
        Some(None) => {
            bail!("no answer within 30 s: `docket projections status` shows whether the read model moves at all")
        }
        Some(Some(outcome)) => {
            writeln!(anstream::stdout(), "{name}: ticket {ticket} {}", printable(&outcome.text))?;
            Ok(if outcome.healed { ExitCode::SUCCESS } else { ExitCode::from(PARKED) })
        }
    }
}

/// A ticket whose events can't all be read still has a stream: its id is taken as it is.
async fn stream(desk: &Desk, ticket: &str) -> anyhow::Result<StreamId> {
    if let Ok(id) = ticket.parse::<uuid::Uuid>() {
        return Ok(StreamId(id));
    }
    let number: TicketNumber = ticket.parse().with_context(|| format!("{ticket:?} is neither a number nor an id"))?;
    match desk.by_number(number).await {
        Ok(id) => Ok(StreamId(id.0)),
        Err(DeskError::NotFound) => bail!("there is no ticket {number}"),
        Err(error) => Err(error.into()),
    }
}
