//! `docket audit replay`: a record's history and the state that it folds to.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use desk::{AsOf, Desk, DeskError, Entry, History};
use eventstore::{Position, Version};
use serde_json::{Map, Value, json as object};
use shared_kernel::{ActorRef, Aggregate, Stamp, StreamVersion, codec};
use uuid::Uuid;

use super::diff::{self, Change};
use super::record::{Described, Kind};
use super::{description, timeline};
use crate::names::{self, Names};
use crate::terminal::json;

/// Replay a record: its events in order, and the state after them.
///
/// The events are read from the log and folded, optionally up to a version or a time.
#[derive(Debug, clap::Args)]
// `--version` is the record's here, not the program's
#[command(
    disable_version_flag = true,
    after_help = "Exit codes:\n  \
    0  the record was replayed\n  \
    1  there is no such record, or it had no such version\n\n\
    Examples:\n  \
    docket audit replay 1042 --diff\n  \
    docket audit replay '#1042' --at 2026-03-01T12:00:00Z\n  \
    docket audit replay 0192f0c1-2b3c-7d4e-8f5a-6b7c8d9e0f1a --version 3 --json\n  \
    docket audit replay --kind team facilities\n  \
    docket audit replay --kind agent ada\n  \
    docket audit replay --kind person grace@example.com\n  \
    docket audit replay --kind api-key 0123456789abcdef"
)]
pub(crate) struct Args {
    /// What it is called: a ticket's number (1042 or '#1042'), a team's or an agent's handle, a person's e-mail address, an API
    /// key's id; or the id of its stream
    #[arg(value_name = "NAME")]
    name: String,

    /// Kind of the record
    #[arg(long, value_enum, default_value_t = Kind::Ticket)]
    kind: Kind,

    /// Replay up to this version
    #[arg(long, value_name = "N", conflicts_with = "at")]
    version: Option<u64>,

    /// Replay up to this time, such as 2026-03-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<DateTime<Utc>>,

    /// Show which fields each event changed
    #[arg(long)]
    diff: bool,

    /// Print one JSON object: the id under the name of the kind, version, events, state
    #[arg(long)]
    json: bool,
}

/// One event, and what it changed.
pub(super) struct Step {
    pub(super) version: Version,
    pub(super) position: Position,
    pub(super) event_type: &'static str,
    pub(super) schema_version: i16,
    pub(super) data: Value,
    pub(super) actor: Option<ActorRef>,
    pub(super) command_id: Uuid,
    pub(super) cause: Option<Value>,
    pub(super) occurred_at: DateTime<Utc>,
    pub(super) recorded_at: DateTime<Utc>,
    /// What happened, in words.
    pub(super) sentence: String,
    /// The message that it carries.
    pub(super) message: Option<String>,
    pub(super) changes: Vec<Change>,
}

/// A record's history up to the version or time asked for.
pub(super) struct Replay {
    pub(super) kind: &'static str,
    /// What the kind is called.
    pub(super) label: &'static str,
    pub(super) id: Uuid,
    /// As the arguments name the record.
    pub(super) called: String,
    pub(super) steps: Vec<Step>,
    /// How many events the record has in all.
    pub(super) of: usize,
    pub(super) version: Version,
    pub(super) state: Map<String, Value>,
}

/// Replays, and prints it.
pub(crate) async fn run(desk: &Desk, args: &Args) -> anyhow::Result<ExitCode> {
    let replay = args.kind.replay(desk, args).await?;
    let mut out = anstream::stdout().lock();
    if args.json {
        writeln!(out, "{}", json(&to_json(&replay, args.diff))?)?;
    } else {
        let mut names = Names::default();
        names.learn(desk, replay.ids()).await?;
        timeline::print(&mut out, &replay, &names, args.diff)?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// What the record is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Reads a record whose id was found.
    pub(super) async fn read<A: Described>(&self, desk: &Desk, id: Option<A::Id>) -> anyhow::Result<Replay> {
        let called = format!("{} {}", A::LABEL, A::shown(&self.name));
        let Some(id) = id else { bail!("there is no {called}") };
        let History { entries, of, .. } = match desk.history::<A>(id, self.until()).await {
            Err(DeskError::NotFound) => bail!("there is no {called}"),
            Err(DeskError::NoSuchVersion) => bail!("{called} {}", self.missing::<A>(desk, id).await?),
            history => history.with_context(|| format!("{called} can't be read"))?,
        };
        fold::<A>(id, A::shown(&self.name), entries, of)
    }

    fn until(&self) -> AsOf {
        match (self.version, self.at) {
            // no record has that many events
            (Some(version), _) => AsOf::Version(Version(i64::try_from(version).unwrap_or(i64::MAX))),
            (None, Some(time)) => AsOf::Time(time),
            (None, None) => AsOf::Now,
        }
    }

    /// Why the record has no event up to the version or time asked for.
    async fn missing<A: Described>(&self, desk: &Desk, id: A::Id) -> anyhow::Result<String> {
        let first = desk.history::<A>(id, AsOf::Version(Version(1))).await.context("its first event can't be read")?;
        Ok(match (self.version, self.at) {
            (None, Some(at)) => {
                let (at, began) = (description::time(at), description::time(first.record.occurred_at));
                format!("did not exist at {at}; it began at {began} (UTC)")
            }
            (version, _) => {
                format!("has no version {}; its versions are 1 to {}", version.unwrap_or_default(), first.of)
            }
        })
    }
}

impl Replay {
    /// Every id that it mentions, its own included.
    fn ids(&self) -> BTreeSet<Uuid> {
        let mut ids = BTreeSet::from([self.id]);
        names::collect(&Value::Object(self.state.clone()), &mut ids);
        for step in &self.steps {
            names::collect(&step.data, &mut ids);
            ids.extend(step.actor.as_ref().and_then(|actor| Uuid::try_parse(&actor.id).ok()));
        }
        ids
    }
}

fn fold<A: Described>(id: A::Id, called: String, entries: Vec<Entry<A::Event>>, of: usize) -> anyhow::Result<Replay> {
    let mut state: Option<A::State> = None;
    let mut before = Map::new();
    let (mut steps, mut last) = (Vec::new(), Version(0));
    for entry in entries {
        let version = StreamVersion(entry.version.0);
        state = A::evolve(state, &entry.event, &Stamp { occurred_at: entry.occurred_at, version });
        let after = diff::fields(state.as_ref())?;
        let encoded = codec::encode(&entry.event)?;
        let (sentence, message) = A::describe(&entry.event);
        last = entry.version;
        steps.push(Step {
            version: entry.version,
            position: entry.position,
            event_type: encoded.event_type,
            schema_version: encoded.schema_version,
            data: serde_json::from_str(&encoded.payload)?,
            actor: entry.actor,
            command_id: entry.command_id,
            cause: entry.cause,
            occurred_at: entry.occurred_at,
            recorded_at: entry.recorded_at,
            sentence,
            message,
            changes: diff::changes(&before, &after),
        });
        before = after;
    }
    let (kind, label) = (<A as Aggregate>::TYPE, A::LABEL);
    Ok(Replay { kind, label, id: id.into(), called, steps, of, version: last, state: before })
}

fn to_json(replay: &Replay, with_diff: bool) -> Value {
    let events: Vec<_> = replay.steps.iter().map(|step| event_json(step, with_diff)).collect();
    let mut json = object!({ "version": replay.version, "events": events, "state": replay.state });
    json[replay.kind] = object!(replay.id);
    if let Some(number) = replay.state.get("number") {
        json["number"] = number.clone();
    }
    json
}

fn event_json(step: &Step, with_diff: bool) -> Value {
    let mut event = object!({
        "version": step.version,
        "position": step.position,
        "type": step.event_type,
        "schema_version": step.schema_version,
        "actor": step.actor,
        "occurred_at": step.occurred_at,
        "recorded_at": step.recorded_at,
        "command_id": step.command_id,
        "cause": step.cause,
        "data": step.data,
    });
    if with_diff {
        event["changes"] = diff::to_json(&step.changes);
    }
    event
}

fn parse_time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.to_utc()).map_err(|_| "a time has the form 2026-03-01T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_needs_a_zone() {
        assert!(parse_time("2026-03-01T13:00:00+01:00").unwrap() == parse_time("2026-03-01T12:00:00Z").unwrap());
        assert!(parse_time("2026-03-01").is_err());
    }
}
