//! Clients that write: they open tickets, talk, fight over versions, link, assign, hold, resolve and reopen, and hang up.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::history::{Attempt, Command, Known, Outcome};
use crate::world::{Ticket, World};

/// Tickets that everybody wants to change.
const HOT: usize = 4;
/// The most tickets that are opened; from then on the old ones are talked about.
const TICKETS: usize = 2_000;

/// Writes until told to stop.
pub(crate) async fn write(world: Arc<World>, seed: u64, pace: Duration) {
    let mut rng = StdRng::seed_from_u64(seed);
    while !world.stopping() {
        act(&world, &mut rng).await;
        tokio::time::sleep(pace.mul_f64(rng.random_range(0.5..1.5))).await;
    }
}

async fn act(world: &World, rng: &mut StdRng) {
    let tickets = world.ticket_list();
    let roll = rng.random_range(0..100);
    if tickets.len() < HOT || roll < 12 && tickets.len() < TICKETS {
        return open(world, rng).await;
    }
    // the newest are talked about most
    let recent = tickets.len().saturating_sub(50);
    let any = &tickets[if rng.random_ratio(3, 4) {
        rng.random_range(recent..tickets.len())
    } else {
        rng.random_range(0..tickets.len())
    }];
    let hot = &tickets[rng.random_range(0..HOT)];
    match roll {
        0..45 => say(world, rng, any, "replies").await,
        45..60 => say(world, rng, hot, "notes").await,
        60..80 => rename(world, rng, hot).await,
        80..86 => resolve_or_reopen(world, rng, any).await,
        86..89 => assign_or_unassign(world, rng, any).await,
        89..91 => hold(world, rng, any).await,
        91..94 => link(world, rng, any, hot).await,
        _ => hang_up(world, rng, any).await,
    }
}

async fn open(world: &World, rng: &mut StdRng) {
    let mut command = world.command("/v1/tickets".into(), None);
    let text = format!("It is about \"{}\".", command.nonce);
    command.body = json!({"subject": format!("Ticket {}", command.nonce), "body": text, "category": "faults"});
    command.text = Some(text);
    finish(world, command, rng, None).await;
}

async fn say(world: &World, rng: &mut StdRng, ticket: &Ticket, what: &str) {
    let mut command = world.command(format!("/v1/tickets/{}/{what}", ticket.id), Some(ticket));
    let text = format!("Word {} \u{2014} and\ta \"quote\".", command.nonce);
    command.body = json!({"body": text});
    command.text = Some(text);
    finish(world, command, rng, Some(ticket)).await;
}

/// Reads, and changes what it has read, if nobody was faster.
async fn rename(world: &World, rng: &mut StdRng, ticket: &Ticket) {
    let Some(version) = crate::readers::read_version(world, ticket, rng).await else { return };
    let mut command = world.command(format!("/v1/tickets/{}/rename", ticket.id), Some(ticket));
    let text = format!("Renamed {}", command.nonce);
    command.body = json!({"subject": text});
    command.text = Some(text);
    command.if_match = Some(version);
    finish(world, command, rng, Some(ticket)).await;
}

async fn resolve_or_reopen(world: &World, rng: &mut StdRng, ticket: &Ticket) {
    let Some(version) = crate::readers::read_version(world, ticket, rng).await else { return };
    let resolve = rng.random_ratio(1, 2);
    let path = format!("/v1/tickets/{}/{}", ticket.id, if resolve { "resolve" } else { "reopen" });
    let mut command = world.command(path, Some(ticket));
    let text = format!("Because of {}", command.nonce);
    command.body = if resolve { json!({"code": "fixed", "note": text}) } else { json!({"reason": text}) };
    command.text = Some(text);
    command.if_match = Some(version);
    finish(world, command, rng, Some(ticket)).await;
}

/// One unit with events of two kinds of records: an agent's slots are in their own stream.
async fn assign_or_unassign(world: &World, rng: &mut StdRng, ticket: &Ticket) {
    let Some((version, seen)) = crate::readers::read_ticket(world, ticket, rng).await else { return };
    // what changes nothing records nothing, and would be missed in the log
    let assign = seen["assignee"].is_null();
    let path = format!("/v1/tickets/{}/{}", ticket.id, if assign { "assign" } else { "unassign" });
    let mut command = world.command(path, Some(ticket));
    command.body = if assign { json!({"assignee": "admin"}) } else { json!({}) };
    command.if_match = Some(version);
    finish(world, command, rng, Some(ticket)).await;
}

/// For a few seconds: a timer wakes the ticket, unless somebody is faster.
async fn hold(world: &World, rng: &mut StdRng, ticket: &Ticket) {
    let Some(version) = crate::readers::read_version(world, ticket, rng).await else { return };
    let mut command = world.command(format!("/v1/tickets/{}/hold", ticket.id), Some(ticket));
    let text = format!("Until then {}", command.nonce);
    #[expect(clippy::disallowed_methods, reason = "a client has a clock of its own")]
    let now = Utc::now();
    let wake_at = now + TimeDelta::milliseconds(rng.random_range(2_000..8_000));
    command.body = json!({"reason": text, "wake_at": wake_at.to_rfc3339_opts(SecondsFormat::Millis, true)});
    command.text = Some(text);
    command.if_match = Some(version);
    finish(world, command, rng, Some(ticket)).await;
}

/// One unit with events of two streams.
async fn link(world: &World, rng: &mut StdRng, ticket: &Ticket, other: &Ticket) {
    if ticket.id == other.id || world.ticket_list().iter().take(HOT).any(|hot| hot.id == ticket.id) {
        return;
    }
    if ticket.linked.swap(true, Ordering::Relaxed) {
        return;
    }
    let Some(version) = crate::readers::read_version(world, ticket, rng).await else { return };
    let mut command = world.command(format!("/v1/tickets/{}/link", ticket.id), Some(ticket));
    command.body = json!({"kind": "relates_to", "other": other.id});
    command.if_match = Some(version);
    finish(world, command, rng, Some(ticket)).await;
}

async fn finish(world: &World, mut command: Command, rng: &mut StdRng, ticket: Option<&Ticket>) {
    world.carry_out(&mut command, rng).await;
    if let (None, Known::Acknowledged, Some(id)) =
        (ticket, command.known(), command.answer().and_then(crate::history::Answer::ticket))
    {
        let ticket = world.add_ticket(id);
        ticket.acknowledged(&command);
    } else if let Some(ticket) = ticket {
        ticket.acknowledged(&command);
        // who has just been told looks at once, and wherever
        if command.known() == Known::Acknowledged && rng.random_ratio(1, 2) {
            crate::readers::read_version(world, ticket, rng).await;
        }
    }
    world.history.add(command);
}

/// Sends a request, or half of one, and goes away.
async fn hang_up(world: &World, rng: &mut StdRng, ticket: &Ticket) {
    let apis: Vec<_> = world.apis().collect();
    let docket = apis[rng.random_range(0..apis.len())];
    let mut command = world.command(format!("/v1/tickets/{}/notes", ticket.id), Some(ticket));
    let text = format!("Gone {}", command.nonce);
    command.body = json!({"body": text});
    command.text = Some(text);
    let half = rng.random_ratio(1, 3);
    let sent = Instant::now();
    say_and_leave(world, docket.url().trim_start_matches("http://"), &command, half).await;
    // half a request must never be carried out; of a whole one nobody knows
    let outcome = if half { Outcome::Refused(0, "half a request".into()) } else { Outcome::Unknown("hung up".into()) };
    command.attempts.push(Attempt { sent, ended: Instant::now(), outcome });
    world.history.add(command);
}

async fn say_and_leave(world: &World, address: &str, command: &Command, half: bool) {
    let body = command.body.to_string();
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nidempotency-key: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        command.path,
        world.key,
        command.nonce,
        body.len()
    );
    let cut = if half { request.len() - body.len() / 2 } else { request.len() };
    let leave = async {
        let mut socket = TcpStream::connect(address).await?;
        socket.write_all(&request.as_bytes()[..cut]).await
    };
    tokio::time::timeout(Duration::from_secs(2), leave).await.ok();
}

/// Very many at once that hang up.
pub(crate) async fn hang_up_at_once(world: &Arc<World>, seed: u64, clients: usize) {
    let mut tasks = tokio::task::JoinSet::new();
    let tickets = world.ticket_list();
    for client in 0..clients {
        let Some(ticket) = tickets.get(client % tickets.len().max(1)).cloned() else { return };
        let world = world.clone();
        tasks.spawn(async move {
            let mut rng = StdRng::seed_from_u64(seed.wrapping_add(client as u64));
            hang_up(&world, &mut rng, &ticket).await;
        });
        // as many at once as there may be files open
        if tasks.len() >= 200 {
            tasks.join_next().await;
        }
    }
    tasks.join_all().await;
}
