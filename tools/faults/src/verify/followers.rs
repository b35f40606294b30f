//! What follows the log: the read models and the broker, by Docket's own audits and by reading them ourselves.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use async_nats::jetstream;
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::time::Instant;

use super::Kept;
use crate::rules;
use crate::world::World;

const AT_ONCE: usize = 64;

/// A rebuild of each read model gives what the live one held.
pub(super) async fn read_models(world: &World) -> Result<()> {
    let before = digests(world).await?;
    for name in before.keys().map(|(name, _)| name.clone()).collect::<std::collections::BTreeSet<_>>() {
        let generation = generation(world, &name).await?;
        let mut accepted = false;
        for docket in world.apis() {
            let url = format!("{}/v1/projections/{name}/rebuild", docket.url());
            accepted |= world.http.post(url).bearer_auth(&world.key).send().await.is_ok_and(|a| a.status() == 202);
        }
        let deadline = Instant::now() + Duration::from_mins(2);
        while accepted && super::followers::generation(world, &name).await? == generation && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if self::generation(world, &name).await? == generation {
            world.findings.add(rules::READ_MODELS, format!("{name} could not be rebuilt"));
        }
    }
    let after = digests(world).await?;
    if before != after {
        world.findings.add(rules::READ_MODELS, format!("rebuilding changed {before:?} into {after:?}"));
    }
    Ok(())
}

async fn generation(world: &World, name: &str) -> Result<i32> {
    let sql = "select generation from read_models.generations where name = $1 and state = 'live'";
    Ok(sqlx::query_scalar(sql).bind(name).fetch_one(&world.pool).await?)
}

/// A digest of each table of the live generations, by model and table.
async fn digests(world: &World) -> Result<BTreeMap<(String, String), String>> {
    let sql = "select g.name, t.tablename, regexp_replace(t.tablename, '_[0-9]+$', '')
                 from read_models.generations g join pg_tables t on t.schemaname = 'read_models'
                  and t.tablename ~ ('^' || g.name || '(_[a-z]+)?_' || g.generation || '$') where g.state = 'live'";
    let tables: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(&world.pool).await?;
    let mut digests = BTreeMap::new();
    for (name, table, stem) in tables {
        let sql = format!(
            "select count(*) || ' rows ' || coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), '')
               from read_models.{table} t"
        );
        let digest = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&world.pool).await?;
        digests.insert((name, stem), digest);
    }
    Ok(digests)
}

/// `docket audit verify` and `docket audit relay`.
pub(super) async fn audits(world: &World) -> Result<()> {
    for (rule, what) in [(rules::READ_MODELS, "verify"), (rules::BROKER, "relay")] {
        let (code, report) = audit(world, what).await?;
        if code != Some(0) && !is_all_poison(world, &report) {
            world.findings.add(rule, format!("docket audit {what} ended with {code:?}: {}", first(&report)));
        }
    }
    Ok(())
}

/// The exit code of an audit, and what it said.
pub(super) async fn audit(world: &World, what: &str) -> Result<(Option<i32>, String)> {
    let docket = world.dockets.first().context("no process")?;
    let output = docket.command().args(["audit", what, "--json"]).output().await?;
    let text = String::from_utf8_lossy(if output.stdout.is_empty() { &output.stderr } else { &output.stdout });
    Ok((output.status.code(), text.into_owned()))
}

/// Whether an audit found the events that nobody can read, and nothing else.
fn is_all_poison(world: &World, report: &str) -> bool {
    let poisoned = world.poisoned();
    let read: Value = serde_json::from_str(report).unwrap_or_default();
    let known = |finding: &Value| poisoned.values().any(|ticket| finding["stream"] == ticket.to_string());
    read["findings"].as_array().is_some_and(|findings| !findings.is_empty() && findings.iter().all(known))
}

/// The first finding of a report, or all of it where it is no report.
fn first(report: &str) -> String {
    let read: Option<Value> = serde_json::from_str(report).ok();
    let finding = read.and_then(|report| Some(report["findings"].as_array()?.first()?.to_string()));
    finding.unwrap_or_else(|| report.chars().take(400).collect())
}

/// The broker's stream, message by message.
pub(super) async fn broker(world: &World, kept: &Kept) -> Result<()> {
    let context = jetstream::new(world.broker.connect().await?);
    let Ok(mut stream) = context.get_stream("DOCKET").await else {
        world.findings.add(rules::BROKER, "there is no stream");
        return Ok(());
    };
    let state = stream.info().await?.state.clone();
    let events = kept.events.len() as u64;
    if (state.messages, state.last_sequence) != (events, events) {
        let what =
            format!("{} messages up to {}, where the log has {events} events", state.messages, state.last_sequence);
        world.findings.add(rules::BROKER, what);
    }
    let messages = (1..=state.last_sequence.max(events)).map(|sequence| {
        let stream = &stream;
        async move { (sequence, stream.get_raw_message(sequence).await) }
    });
    let mut messages = stream::iter(messages).buffered(AT_ONCE);
    while let Some((sequence, message)) = messages.next().await {
        let event = i64::try_from(sequence).ok().and_then(|position| kept.by_position.get(&position));
        let event = event.map(|index| &kept.events[*index]);
        let read: Option<Value> = message.ok().and_then(|message| serde_json::from_slice(&message.payload).ok());
        let (Some(event), Some(read)) = (event, read) else {
            world.findings.add(rules::BROKER, format!("{sequence} is not both in the log and on the broker"));
            continue;
        };
        let there = format!("{} {}", crate::follow::essence(&read), read["data"]);
        let payload: Value = serde_json::from_str(&event.payload)?;
        let here = format!("{} {} {} {payload}", event.stream_id, event.version, event.kind);
        if there != here {
            world.findings.add(rules::BROKER, format!("message {sequence} is {there}, the event {here}"));
        }
    }
    Ok(())
}
