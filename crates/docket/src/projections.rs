//! `docket projections`: the state of the read models, and their repair.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use ::projections::{self as read_models, Action, Projections, Reader, Status};
use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use desk::{Desk, DeskError};
use eventstore::StreamId;
use ticket_aggregate::TicketNumber;

use crate::hint::hint;
use crate::terminal::{self, columns, grouped, printable, progress_bar};

/// How long to wait for the projection's leader.
const WAIT: Duration = Duration::from_secs(30);
/// How often the progress of a rebuild is read.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The exit code if tickets are parked.
const PARKED: u8 = 2;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show position, lag and parked tickets of each read model
    ///
    /// Exit codes: 0 no ticket is parked, 2 tickets are parked.
    Status {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Rebuild a read model beside the live one, then switch
    ///
    /// An interrupted rebuild is resumed by the server or the next call.
    Rebuild {
        /// Read model: tickets, queues, people, agents, settings, timers
        name: String,
    },
    /// Retry a parked ticket from the event that failed
    Retry {
        /// Read model
        name: String,
        /// Ticket number or id
        ticket: String,
    },
    /// Skip the event that failed; who, when and why are recorded
    Skip {
        /// Read model
        name: String,
        /// Ticket number or id
        ticket: String,
        /// Reason for the skip
        #[arg(long)]
        reason: String,
        /// Who decides; by default the user of this terminal
        #[arg(long, env = "USER", default_value = "cli", hide_env_values = true)]
        by: String,
    },
}

pub(crate) async fn run(desk: &Desk, projections: Projections, command: &Command) -> anyhow::Result<ExitCode> {
    let reader = projections.reader();
    if let Command::Status { json } = command {
        return status(&reader, *json).await;
    }
    // without a running server this process does the work; otherwise the server leads, and this process stands by
    let work = async {
        match command {
            Command::Status { .. } => Ok(ExitCode::SUCCESS),
            Command::Rebuild { name } => rebuild(&reader, name).await,
            Command::Retry { name, ticket } => repair(desk, &reader, name, ticket, &Action::Retry, "cli").await,
            Command::Skip { name, ticket, reason, by } => {
                ensure!(!reason.trim().is_empty(), "--reason is blank; it is recorded in place of the event");
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
    let all = reader.status().await.context("the state of the read models can't be read")?;
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
        return Ok(writeln!(out, "There are no read models yet. A running server creates them.")?);
    }
    let header = ["NAME", "GENERATION", "STATE", "POSITION", "BEHIND", "LAG", "PARKED", "COMPARED WITH PREVIOUS"];
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
            "\n{name}: ticket {ticket} has been parked since {since} at version {version} (position {position}):\n  {error}\n  \
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
            bail!("the rebuild was abandoned: a newer version of the program started another");
        };
        bar.set_length(status.head.0.unsigned_abs());
        bar.set_position(status.position.0.unsigned_abs());
        if status.state == "live" {
            break status;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    };
    bar.finish_and_clear();
    let comparison = done.comparison.unwrap_or_default();
    let events = grouped(done.position.0.unsigned_abs());
    writeln!(
        anstream::stdout(),
        "{name}: generation {generation} is live at position {events}. {}",
        compared(&comparison)
    )?;
    Ok(if comparison.starts_with("differs") { ExitCode::from(PARKED) } else { ExitCode::SUCCESS })
}

fn compared(comparison: &str) -> String {
    match comparison {
        "equal" => "It equals the previous one.".to_owned(),
        other => format!("Compared with the previous one: {}.", printable(other)),
    }
}

fn unknown(name: &str) -> anyhow::Result<ExitCode> {
    Err(hint(
        format!("there is no read model {name:?}"),
        format!("The read models are {}.", read_models::names().collect::<Vec<_>>().join(", ")),
    ))
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
            Err(hint("no answer within 30 s", "`docket projections status` shows whether the read model advances."))
        }
        Some(Some(outcome)) => {
            writeln!(anstream::stdout(), "{name}: ticket {ticket} {}", printable(&outcome.text))?;
            Ok(if outcome.healed { ExitCode::SUCCESS } else { ExitCode::from(PARKED) })
        }
    }
}

/// The stream of a ticket. An id is taken as it is: the ticket may have events that can't be decoded.
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
