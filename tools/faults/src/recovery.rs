//! Recovery after a fault: how long until every process accepts writes again, and until every reader has caught up.

use std::sync::PoisonError;
use std::time::Duration;

use anyhow::Result;
use async_nats::jetstream;
use serde::Serialize;
use tokio::time::Instant;

use crate::history::{Known, Outcome};
use crate::rules;
use crate::world::World;

/// How long recovery may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) writes: Duration,
    pub(crate) readers: Duration,
}

/// How long recovery took, in seconds; `None` if it took more than twice the limit.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Recovery {
    pub(crate) writes: Option<f64>,
    pub(crate) readers: Option<f64>,
}

/// Measures from now on.
pub(crate) async fn measure(world: &World, fault: &str, limits: Limits) -> Result<Recovery> {
    let began = Instant::now();
    let mut probes = Vec::new();
    for docket in world.apis() {
        probes.push(probe(world, docket, began + limits.writes * 2));
    }
    let through = futures_util::future::join_all(probes).await;
    let writes = through.iter().all(|through| *through).then(|| began.elapsed().as_secs_f64());
    judge(world, fault, "writes to go through", writes, limits.writes);

    let goal = world.head().await?;
    let mut behind = String::new();
    let mut readers = None;
    while began.elapsed() < limits.readers * 2 {
        behind = lagging_readers(world, goal).await;
        if behind.is_empty() {
            readers = Some(began.elapsed().as_secs_f64());
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    judge(world, fault, &format!("readers to catch up ({behind})"), readers, limits.readers);
    Ok(Recovery { writes, readers })
}

fn judge(world: &World, fault: &str, what: &str, took: Option<f64>, limit: Duration) {
    match took {
        Some(took) if took <= limit.as_secs_f64() => {}
        Some(took) => world.findings.add(rules::RECOVERY, format!("after {fault} it took {took:.1} s for {what}")),
        None => world
            .findings
            .add(rules::RECOVERY, format!("after {fault} {} s were not enough for {what}", limit.as_secs() * 2)),
    }
}

async fn probe(world: &World, docket: &crate::docket::Docket, deadline: Instant) -> bool {
    while Instant::now() < deadline {
        let tickets = world.ticket_list();
        let Some(ticket) = tickets.first() else { return true };
        let mut command = world.command(format!("/v1/tickets/{}/notes", ticket.id), Some(ticket));
        let text = format!("Probe {}", command.nonce);
        command.body = serde_json::json!({"body": text});
        command.text = Some(text);
        let attempt = tokio::time::timeout(Duration::from_secs(14), world.attempt(docket, &command)).await;
        if let Ok(attempt) = attempt {
            command.attempts.push(attempt);
            let through = command.known() == Known::Acknowledged;
            ticket.acknowledged(&command);
            let lost = matches!(command.attempts.last().map(|a| &a.outcome), Some(Outcome::Unknown(_)));
            world.history.add(command);
            if through {
                return true;
            }
            if lost {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

/// The readers that have not reached a position, as text.
async fn lagging_readers(world: &World, goal: i64) -> String {
    let mut behind = Vec::new();
    match read_models(world).await {
        Ok(models) if models.is_empty() => behind.push("no read model".to_owned()),
        Ok(models) => {
            behind.extend(models.into_iter().filter(|(_, at)| *at < goal).map(|(name, at)| format!("{name} at {at}")));
        }
        Err(error) => behind.push(format!("read models: {error}")),
    }
    match tokio::time::timeout(Duration::from_secs(5), broker_position(world)).await {
        Ok(Ok(at)) if at >= goal => {}
        Ok(Ok(at)) => behind.push(format!("the broker at {at}")),
        Ok(Err(error)) => behind.push(format!("the broker: {error}")),
        Err(_) => behind.push("the broker does not answer".to_owned()),
    }
    let followed = world.followed.lock().unwrap_or_else(PoisonError::into_inner).clone();
    behind.extend(followed.iter().filter(|(_, at)| **at < goal).map(|(n, at)| format!("live stream {n} at {at}")));
    if behind.is_empty() { String::new() } else { format!("{} of {goal}", behind.join(", ")) }
}

/// Where each live read model stands.
pub(crate) async fn read_models(world: &World) -> Result<Vec<(String, i64)>> {
    let sql = "select g.name, coalesce(c.position, 0) from read_models.generations g
                 left join checkpoints c on c.name = g.name || '@' || g.generation where g.state = 'live' order by 1";
    Ok(sqlx::query_as(sql).fetch_all(&world.pool).await?)
}

/// Where the broker's stream ends.
pub(crate) async fn broker_position(world: &World) -> Result<i64> {
    let client = world.broker.connect().await?;
    let mut stream = jetstream::new(client).get_stream("DOCKET").await?;
    let state = &stream.info().await?.state;
    Ok(i64::try_from(state.last_sequence)?)
}
