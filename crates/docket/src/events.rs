//! `docket events`: the log for operators.

use std::io::Write;
use std::process::ExitCode;

use chrono::SecondsFormat;
use clap::{Args, Subcommand};
use desk::Desk;
use eventstore::{Position, RecordedEvent};
use futures_util::StreamExt;
use serde::Deserialize as _;
use serde_json::{Value, json};
use shared_kernel::ActorRef;
use uuid::Uuid;

use crate::names::{self, Names};
use crate::terminal::{self, printable};

#[derive(Subcommand)]
pub(crate) enum Command {
    Tail(Tail),
}

/// Print the end of the log
///
/// Prints one line per event: position, time, stream and version, type, actor. Stops at the end of the log; with --follow
/// it waits for new events.
#[derive(Args)]
pub(crate) struct Tail {
    /// Wait for new events
    #[arg(long, short)]
    follow: bool,
    /// Start after this position
    #[arg(long, value_name = "POSITION")]
    after: Option<i64>,
    /// Number of events before the end
    #[arg(long, short = 'n', default_value_t = 10, value_name = "N", conflicts_with = "after")]
    lines: i64,
    /// Only events of this type; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Print one JSON object per line, with the payload
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(desk: &Desk, command: &Command) -> anyhow::Result<ExitCode> {
    let Command::Tail(tail) = command;
    let store = desk.store();
    let head = store.head().await?;
    let after = Position(tail.after.unwrap_or(head.0 - tail.lines).max(0));
    let mut names = Names::default();
    if tail.follow {
        let mut chunks = std::pin::pin!(store.follow(after));
        loop {
            tokio::select! {
                chunk = chunks.next() => match chunk {
                    Some(chunk) => {
                        for event in &*chunk {
                            print(desk, tail, &mut names, event).await?;
                        }
                    }
                    None => break,
                },
                _ = tokio::signal::ctrl_c() => break,
            }
        }
    } else {
        let mut events = std::pin::pin!(store.read_log(after));
        while let Some(event) = events.next().await {
            print(desk, tail, &mut names, &event?).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn print(desk: &Desk, tail: &Tail, names: &mut Names, event: &RecordedEvent) -> anyhow::Result<()> {
    if !tail.types.is_empty() && !tail.types.contains(&event.event_type) {
        return Ok(());
    }
    let time = event.occurred_at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let metadata: Value = serde_json::from_str(&event.metadata).unwrap_or_default();
    if tail.json {
        let line = json!({
            "position": event.position, "stream": event.stream_id, "stream_type": event.stream_type,
            "version": event.version, "type": event.event_type,
            "schema_version": event.schema_version, "occurred_at": time,
            "recorded_at": event.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "metadata": metadata,
            // as stored, even if it is not valid JSON
            "payload": serde_json::from_str::<Value>(&event.payload).unwrap_or_else(|_| json!(event.payload)),
        });
        return Ok(writeln!(anstream::stdout(), "{}", terminal::json(&line)?)?);
    }
    let actor = ActorRef::deserialize(&metadata["actor"]).ok();
    names.trim();
    names.learn(desk, actor.as_ref().and_then(|actor| Uuid::try_parse(&actor.id).ok())).await?;
    let who = actor.map_or_else(|| "?".to_owned(), |actor| names.put(&names::actor(&actor)));
    Ok(writeln!(
        anstream::stdout(),
        "{:>10}  {time}  {} v{:<4} {:<28} {}",
        event.position.0,
        event.stream_id,
        event.version,
        printable(&event.event_type),
        printable(&who)
    )?)
}
