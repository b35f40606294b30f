//! `docket audit replay`: a ticket's history and the state that it folds to.

use shared_kernel::{Aggregate, Stamp, StreamVersion, codec};
use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use desk::{AsOf, Desk, DeskError, Entry, History};
use eventstore::Version;
use serde_json::{Map, Value, json as object};
use ticket_aggregate::{Ticket, TicketId, TicketNumber};
use uuid::Uuid;

use super::diff::{self, Change};
use super::{description, timeline};
use crate::terminal::json;

/// Replay a ticket: its events in order, and the state after them.
///
/// The events are read from the log and folded, optionally up to a version or a time.
#[derive(Debug, clap::Args)]
// `--version` is the ticket's here, not the program's
#[command(
    disable_version_flag = true,
    after_help = "Exit codes:\n  \
    0  the ticket was replayed\n  \
    1  there is no such ticket, or it had no such version\n\n\
    Examples:\n  \
    docket audit replay 1042 --diff\n  \
    docket audit replay '#1042' --at 2026-03-01T12:00:00Z\n  \
    docket audit replay 0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a --version 3 --json"
)]
pub(crate) struct Args {
    /// Ticket number (1042 or '#1042') or id
    #[arg(value_name = "TICKET", value_parser = parse_name)]
    ticket: Name,

    /// Replay up to this version
    #[arg(long, value_name = "N", conflicts_with = "at")]
    version: Option<u64>,

    /// Replay up to this time, such as 2026-03-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<DateTime<Utc>>,

    /// Show which fields each event changed
    #[arg(long)]
    diff: bool,

    /// Print one JSON object: ticket, number, version, events, state
    #[arg(long)]
    json: bool,
}

/// How a ticket is named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Number(TicketNumber),
    Id(TicketId),
}

/// One event, and what it changed.
pub(super) struct Step {
    pub(super) entry: Entry,
    pub(super) changes: Vec<Change>,
}

/// A ticket's history up to the version or time asked for.
pub(super) struct Replay {
    pub(super) id: TicketId,
    pub(super) steps: Vec<Step>,
    /// How many events the ticket has in all.
    pub(super) of: usize,
    pub(super) state: Map<String, Value>,
}

/// Replays, and prints it.
pub(crate) async fn run(desk: &Desk, args: &Args) -> anyhow::Result<ExitCode> {
    let replay = read(desk, args).await?;
    let mut out = anstream::stdout().lock();
    if args.json {
        writeln!(out, "{}", json(&to_json(&replay, args.diff)?)?)?;
    } else {
        timeline::print(&mut out, &replay, args.diff)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn read(desk: &Desk, args: &Args) -> anyhow::Result<Replay> {
    let (id, name) = match args.ticket {
        Name::Number(number) => match desk.by_number(number).await {
            Ok(id) => (id, number.to_string()),
            Err(DeskError::NotFound) => bail!("there is no ticket {number}"),
            Err(error) => return Err(error.into()),
        },
        Name::Id(id) => (id, id.to_string()),
    };
    let History { entries, of, .. } = match desk.history(id, args.until()).await {
        Err(DeskError::NotFound) => bail!("there is no ticket {name}"),
        Err(DeskError::NoSuchVersion) => bail!("ticket {name} {}", missing(desk, id, args).await?),
        history => history.with_context(|| format!("ticket {name} can't be read"))?,
    };
    let (steps, state) = fold(entries)?;
    Ok(Replay { id, steps, of, state })
}

impl Args {
    fn until(&self) -> AsOf {
        match (self.version, self.at) {
            // no ticket has that many events
            (Some(version), _) => AsOf::Version(Version(i64::try_from(version).unwrap_or(i64::MAX))),
            (None, Some(time)) => AsOf::Time(time),
            (None, None) => AsOf::Now,
        }
    }
}

/// Why the ticket has no event up to the version or time asked for.
async fn missing(desk: &Desk, id: TicketId, args: &Args) -> anyhow::Result<String> {
    let opening = desk.history(id, AsOf::Version(Version(1))).await.context("its first event can't be read")?;
    Ok(match (args.version, args.at) {
        (None, Some(at)) => {
            let (at, opened) = (description::time(at), description::time(opening.ticket.state.opened_at));
            format!("did not exist at {at}; it was opened at {opened} (UTC)")
        }
        (version, _) => format!("has no version {}; its versions are 1 to {}", version.unwrap_or_default(), opening.of),
    })
}

fn fold(entries: Vec<Entry>) -> anyhow::Result<(Vec<Step>, Map<String, Value>)> {
    let mut state: Option<Ticket> = None;
    let mut before = Map::new();
    let mut steps = Vec::new();
    for entry in entries {
        let version = StreamVersion(entry.version.0);
        state = Ticket::evolve(state, &entry.event, &Stamp { occurred_at: entry.occurred_at, version });
        let after = diff::fields(state.as_ref())?;
        steps.push(Step { entry, changes: diff::changes(&before, &after) });
        before = after;
    }
    Ok((steps, before))
}

fn to_json(replay: &Replay, with_diff: bool) -> anyhow::Result<Value> {
    let events = replay.steps.iter().map(|step| event_json(step, with_diff)).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(object!({
        "ticket": replay.id,
        "number": replay.state.get("number"),
        "version": replay.state.get("version"),
        "events": events,
        "state": replay.state,
    }))
}

fn event_json(Step { entry, changes }: &Step, with_diff: bool) -> anyhow::Result<Value> {
    let encoded = codec::encode(&entry.event)?;
    let data: Value = serde_json::from_str(&encoded.payload)?;
    let mut event = object!({
        "version": entry.version,
        "position": entry.position,
        "type": encoded.event_type,
        "schema_version": encoded.schema_version,
        "actor": entry.actor,
        "occurred_at": entry.occurred_at,
        "recorded_at": entry.recorded_at,
        "command_id": entry.command_id,
        "cause": entry.cause,
        "data": data,
    });
    if with_diff {
        event["changes"] = diff::to_json(changes);
    }
    Ok(event)
}

fn parse_name(text: &str) -> Result<Name, String> {
    if let Ok(number) = text.parse() {
        return Ok(Name::Number(number));
    }
    let id =
        Uuid::parse_str(text).map_err(|_| "a ticket is named by its number (1042 or '#1042') or its id (a UUID)")?;
    Ok(Name::Id(TicketId(id)))
}

fn parse_time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.to_utc()).map_err(|_| "a time has the form 2026-03-01T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticket_is_named_by_number_or_id() {
        let number = Name::Number(TicketNumber::try_from(1042).unwrap());
        assert_eq!(parse_name("1042").unwrap(), number);
        assert_eq!(parse_name("#1042").unwrap(), number);
        let id = Uuid::from_u128(7);
        assert_eq!(parse_name(&id.to_string()).unwrap(), Name::Id(TicketId(id)));
        assert!(parse_name("0").is_err() && parse_name("ada").is_err());
    }

    #[test]
    fn time_needs_a_zone() {
        assert!(parse_time("2026-03-01T13:00:00+01:00").unwrap() == parse_time("2026-03-01T12:00:00Z").unwrap());
        assert!(parse_time("2026-03-01").is_err());
    }
}
