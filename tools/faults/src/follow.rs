//! Followers of the log: over HTTP, resuming by `Last-Event-ID`, and straight from the table. What they saw is held against
//! the log at the end: they must have seen it as it is, once and in order.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::rules;
use crate::world::World;

/// A server that has said nothing for so long, not even a heartbeat (15 s), is left for another.
const SILENCE: Duration = Duration::from_secs(18);

/// What a follower saw at each position, from 1 on: the event's stream and version.
pub(crate) type Seen = Vec<String>;

/// Follows the live stream, from one process to the other, until told to stop.
pub(crate) async fn live(world: Arc<World>, number: usize) -> Seen {
    let mut seen = Seen::new();
    let mut at = number;
    while !world.followers_stop.load(Ordering::Relaxed) {
        let apis: Vec<_> = world.apis().collect();
        let url = format!("{}/v1/events", apis[at % apis.len()].url());
        if let Err(error) = stream(&world, &url, number, &mut seen).await {
            world.count_answer(if error.to_string().contains("429") {
                "live stream: 429"
            } else {
                "live stream: ended"
            });
        }
        at += 1;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    seen
}

async fn stream(world: &World, url: &str, number: usize, seen: &mut Seen) -> Result<()> {
    // no limit of time as a whole
    let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(3)).build()?;
    let mut get = http.get(url).bearer_auth(&world.key).header("accept", "text/event-stream");
    get = get.header("last-event-id", seen.len());
    let answer = tokio::time::timeout(SILENCE, get.send()).await??;
    let mut answer = answer.error_for_status()?;
    let mut buffer = Vec::new();
    while !world.followers_stop.load(Ordering::Relaxed) {
        // in short steps, to hear that it is over
        let mut waited = Duration::ZERO;
        let chunk = loop {
            match tokio::time::timeout(Duration::from_millis(500), answer.chunk()).await {
                Ok(chunk) => break chunk?.context("the stream ended")?,
                Err(_) if world.followers_stop.load(Ordering::Relaxed) => return Ok(()),
                Err(_) => waited += Duration::from_millis(500),
            }
            if waited >= SILENCE {
                bail!("the stream is silent");
            }
        };
        buffer.extend_from_slice(&chunk);
        while let Some(end) = buffer.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = buffer.drain(..end + 2).collect();
            take(world, &String::from_utf8_lossy(&event), number, seen)?;
        }
    }
    Ok(())
}

fn take(world: &World, event: &str, number: usize, seen: &mut Seen) -> Result<()> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let (Some(id), Some(data)) = (field("id:"), field("data:")) else { return Ok(()) };
    let position: usize = id.parse().context("an id that is no position")?;
    // what nobody can read is passed over
    let poisoned = world.poisoned();
    while position > seen.len() + 1
        && let Some(ticket) = poisoned.get(&i64::try_from(seen.len() + 1)?)
    {
        seen.push(format!("{ticket} 1 ticket.haunted"));
    }
    if position != seen.len() + 1 {
        let what = format!("live stream {number} showed position {position} after {}", seen.len());
        world.findings.add(rules::ORDER, what.clone());
        bail!(what);
    }
    let data: Value = serde_json::from_str(data)?;
    seen.push(essence(&data));
    world.followed.lock().unwrap_or_else(PoisonError::into_inner).insert(number, i64::try_from(position)?);
    Ok(())
}

/// Of a `CloudEvent`: what it is of, which of it, and of what kind.
pub(crate) fn essence(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    format!("{} {} {}", text("subject"), event["streamversion"], text("type"))
}

/// Reads the table itself, as any reader of the database would: what comes must come after what was seen.
pub(crate) async fn table(world: Arc<World>) -> Seen {
    let mut seen = Seen::new();
    while !world.followers_stop.load(Ordering::Relaxed) {
        let after = i64::try_from(seen.len()).unwrap_or(i64::MAX);
        let sql = "select position, stream_id::text || ' ' || version || ' ' || type from events
                    where position > $1 order by position limit 2000";
        let rows: Vec<(i64, String)> = sqlx::query_as(sql).bind(after).fetch_all(&world.pool).await.unwrap_or_default();
        for (position, essence) in rows {
            if position != i64::try_from(seen.len()).unwrap_or(i64::MAX) + 1 {
                let what = format!("a reader of the table saw position {position} after {}", seen.len());
                world.findings.add(rules::ORDER, what);
                // what was passed over is looked for again, and is then below what was seen
                break;
            }
            seen.push(essence);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    seen
}
