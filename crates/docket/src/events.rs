//! `docket events`: the log as it is, for operators.

use std::io::Write;
use std::process::ExitCode;

use chrono::SecondsFormat;
use clap::{Args, Subcommand};
use desk::Desk;
use eventstore::{Position, RecordedEvent};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::terminal::{self, printable};

#[derive(Subcommand)]
pub(crate) enum Command {
    Tail(Tail),
}

/// Print the end of the log
///
/// A line an event: position, time, ticket and version, type, who did it. Ends with the log; with --follow it goes on
/// until you stop it.
#[derive(Args)]
pub(crate) struct Tail {
    /// Go on as events come
    #[arg(long, short)]
    follow: bool,
    /// Begin after this position, instead of with the last ones
    #[arg(long, value_name = "POSITION")]
    after: Option<i64>,
    /// How many of the last events
    #[arg(long, short = 'n', default_value_t = 10, value_name = "N", conflicts_with = "after")]
    lines: i64,
    /// Only events of this type; can be given several times
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// A JSON object a line, with the event's content
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(desk: &Desk, command: &Command) -> anyhow::Result<ExitCode> {
    let Command::Tail(tail) = command;
    let store = desk.store();
    let head = store.head().await?;
    let after = Position(tail.after.unwrap_or(head.0 - tail.lines).max(0));
    if tail.follow {
        let mut chunks = std::pin::pin!(store.follow(after));
        loop {
            tokio::select! {
                chunk = chunks.next() => match chunk {
                    Some(chunk) => chunk.iter().try_for_each(|event| print(tail, event))?,
                    None => break,
                },
                _ = tokio::signal::ctrl_c() => break,
            }
        }
    } else {
        let mut events = std::pin::pin!(store.read_log(after));
        while let Some(event) = events.next().await {
            print(tail, &event?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(tail: &Tail, event: &RecordedEvent) -> anyhow::Result<()> {
    if !tail.types.is_empty() && !tail.types.contains(&event.event_type) {
        return Ok(());
    }
    let mut out = anstream::stdout().lock();
    let time = event.occurred_at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let metadata: Value = serde_json::from_str(&event.metadata).unwrap_or_default();
    if tail.json {
        let line = json!({
            "position": event.position, "ticket": event.stream_id, "version": event.version, "type": event.event_type,
            "schema_version": event.schema_version, "occurred_at": time,
            "recorded_at": event.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "metadata": metadata,
            // as it was stored, also where it is no JSON that can be read
            "payload": serde_json::from_str::<Value>(&event.payload).unwrap_or_else(|_| json!(event.payload)),
        });
        return Ok(writeln!(out, "{}", terminal::json(&line)?)?);
    }
    let actor = &metadata["actor"];
    let who = format!("{} {}", actor["kind"].as_str().unwrap_or("?"), actor["id"].as_str().unwrap_or("?"));
    Ok(writeln!(
        out,
        "{:>10}  {time}  {} v{:<4} {:<28} {}",
        event.position.0,
        event.stream_id,
        event.version,
        printable(&event.event_type),
        printable(&who)
    )?)
}
