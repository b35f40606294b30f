//! Clients that read, and hold what they are shown against what was acknowledged before they asked.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::rules;
use crate::world::{Ticket, World};

/// Reads by id until told to stop.
pub(crate) async fn read(world: Arc<World>, seed: u64, pace: Duration) {
    let mut rng = StdRng::seed_from_u64(seed);
    while !world.stopping() {
        if let Some(ticket) = pick(&world, &mut rng) {
            read_version(&world, &ticket, &mut rng).await;
        }
        tokio::time::sleep(pace).await;
    }
}

fn pick(world: &World, rng: &mut StdRng) -> Option<Arc<Ticket>> {
    let tickets = world.ticket_list();
    if tickets.is_empty() {
        return None;
    }
    let among = if rng.random_ratio(1, 2) { tickets.len().min(4) } else { tickets.len() };
    Some(tickets[rng.random_range(0..among)].clone())
}

/// The ticket's version, from a process picked at random.
pub(crate) async fn read_version(world: &World, ticket: &Ticket, rng: &mut StdRng) -> Option<i64> {
    read_ticket(world, ticket, rng).await.map(|(version, _)| version)
}

/// The ticket and its version, from a process picked at random: never older than what was acknowledged before.
pub(crate) async fn read_ticket(world: &World, ticket: &Ticket, rng: &mut StdRng) -> Option<(i64, Value)> {
    let apis: Vec<_> = world.apis().collect();
    let docket = apis[rng.random_range(0..apis.len())];
    let before = ticket.version.load(Ordering::SeqCst);
    let url = format!("{}/v1/tickets/{}", docket.url(), ticket.id);
    let answer = world.http.get(url).bearer_auth(&world.key).send().await.ok()?;
    let status = answer.status().as_u16();
    if status == 200 {
        let version = answer.headers().get("etag")?.to_str().ok()?.trim_matches('"').parse().ok()?;
        if version < before {
            let what = format!(
                "{} was read at version {version} from {} after {before} had been acknowledged",
                ticket.id, docket.name
            );
            world.findings.add(rules::CONDITIONAL, what);
        }
        return Some((version, answer.json().await.ok()?));
    }
    if (400..500).contains(&status) && status != 429 {
        world
            .findings
            .add(rules::CONDITIONAL, format!("{} is acknowledged, and reading it is answered {status}", ticket.id));
    } else if status == 500 {
        world.findings.add(rules::ANSWERS, format!("reading {} is answered 500", ticket.id));
    }
    None
}

/// Searches the list for what was just acknowledged, until told to stop.
pub(crate) async fn list(world: Arc<World>, seed: u64, pace: Duration, reached: Arc<AtomicI64>) {
    let mut rng = StdRng::seed_from_u64(seed);
    while !world.stopping() {
        let found = pick(&world, &mut rng).and_then(|ticket| {
            let said = ticket.last_word.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
            Some((ticket, said))
        });
        if let Some((ticket, said)) = found {
            search(&world, &ticket, said, &reached, &mut rng).await;
        }
        tokio::time::sleep(pace).await;
    }
}

async fn search(
    world: &World,
    ticket: &Ticket,
    (nonce, version, position): (String, i64, i64),
    reached: &AtomicI64,
    rng: &mut StdRng,
) -> Option<()> {
    let apis: Vec<_> = world.apis().collect();
    let docket = apis[rng.random_range(0..apis.len())];
    let before = reached.load(Ordering::SeqCst);
    let url = format!("{}/v1/tickets?limit=200&q={nonce}", docket.url());
    let get = world.http.get(url).bearer_auth(&world.key).header("docket-min-position", position);
    let answer = get.send().await.ok()?;
    if answer.status() != 200 {
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        world.count_answer(&format!("list: {} {}", status.as_u16(), body["error_code"].as_str().unwrap_or_default()));
        if status == 500 || status.is_client_error() && status != 429 {
            world.findings.add(rules::ANSWERS, format!("the list is answered {status}: {body}"));
        }
        return None;
    }
    let at: i64 = answer.headers().get("docket-position")?.to_str().ok()?.parse().ok()?;
    let body: Value = answer.json().await.ok()?;
    reached.fetch_max(at, Ordering::SeqCst);
    world.count_answer("list: 200");
    if at < before {
        world.findings.add(rules::READ_MODELS, format!("the list stood at {before}, and afterwards at {at}"));
    }
    if at < position {
        world.findings.add(rules::READ_MODELS, format!("the list was asked for {position}, and stands at {at}"));
    }
    let items = body["items"].as_array()?;
    let row = items.iter().find(|row| row["id"] == ticket.id.to_string());
    match row.map(|row| row["version"].as_i64()) {
        None => {
            let what = format!("{nonce}, acknowledged at {position}, is not found in the list at {at}");
            world.findings.add(rules::READ_MODELS, what);
        }
        Some(Some(found)) if found < version => {
            let what =
                format!("{} has version {found} in the list at {at}, and had {version} at {position}", ticket.id);
            world.findings.add(rules::READ_MODELS, what);
        }
        Some(_) => {}
    }
    Some(())
}
