//! `docket status`: the log, what follows it, and the broker, on one screen.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use crate::client::{Client, ServerArgs};
use crate::config::Config;
use crate::terminal::{self, columns, grouped, printable};

/// Show the state of a running server: the log, the read models, the relay
#[derive(Args)]
#[command(
    after_help = "Exit codes:\n  0  everything follows the log\n  1  the server can't be reached, or something is parked or halted"
)]
pub(crate) struct Status {
    /// Print a JSON object: position, readiness, projections
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(config: &Config, args: &Status) -> anyhow::Result<ExitCode> {
    let client = Client::new(&args.server, config)?;
    let readiness = client.get("/health/readiness").await?;
    let projections = client.get("/v1/projections").await?.body;
    let models = projections["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let parked = models.iter().any(|model| model["parked_streams"].as_i64().is_some_and(|parked| parked > 0));
    let halted = readiness.body["relay"]["state"] == "halted";
    let mut out = anstream::stdout().lock();
    if args.json {
        let all = json!({
            "position": readiness.position, "readiness": readiness.body, "projections": projections["items"],
        });
        writeln!(out, "{}", terminal::json(&all)?)?;
    } else {
        print(&mut out, readiness.position, &readiness.body, models)?;
    }
    Ok(if parked || halted { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(out: &mut impl Write, head: Option<i64>, readiness: &Value, models: &[Value]) -> anyhow::Result<()> {
    let head = head.map_or_else(|| "–".to_owned(), |head| grouped(head.unsigned_abs()));
    writeln!(out, "log        {head} events")?;
    if let Some(relay) = readiness["relay"].as_object() {
        let members = relay.iter().filter(|(_, value)| !value.is_null());
        let members = members.map(|(name, value)| format!("{name} {}", plain(value)));
        writeln!(out, "relay      {}", members.collect::<Vec<_>>().join(", "))?;
    }
    if let Some(timers) = readiness["timers"].as_object() {
        let members = timers.iter().filter(|(_, value)| !value.is_null());
        let members = members.map(|(name, value)| format!("{name} {}", plain(value)));
        writeln!(out, "timers     {}", members.collect::<Vec<_>>().join(", "))?;
    }
    let mut table = columns(["READ MODEL", "STATE", "POSITION", "BEHIND", "PARKED"], &[2, 3, 4]);
    for model in models {
        let count = |value: &Value| grouped(value.as_i64().unwrap_or_default().unsigned_abs());
        table.add_row([
            plain(&model["name"]),
            plain(&model["state"]),
            count(&model["position"]),
            count(&model["lag"]["events"]),
            count(&model["parked_streams"]),
        ]);
    }
    writeln!(out, "\n{table}")?;
    Ok(())
}

fn plain(value: &Value) -> String {
    printable(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
