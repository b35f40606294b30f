//! What happens to PostgreSQL.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill as send};
use nix::unistd::Pid;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::time::Instant;

use super::Injection;
use crate::docket::Docket;
use crate::history::Outcome;
use crate::rules;
use crate::world::{Ticket, World};

/// How fast liveness is to be answered whatever happens, and a read while nothing can be written.
const AT_ONCE: Duration = Duration::from_secs(5);

pub(super) async fn kill(world: &World, rng: &mut StdRng) -> Result<Injection> {
    world.database.kill().await;
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..3_000))).await;
    world.database.ensure().await?;
    Ok(Injection::Done)
}

/// PostgreSQL then ends all the others too, and recovers.
pub(super) async fn kill_backend(world: &World, seed: u64) -> Result<Injection> {
    let sql =
        "select pid from pg_stat_activity where application_name = 'docket' order by md5(pid::text || $1) limit 1";
    let pid: Option<i32> = sqlx::query_scalar(sql).bind(seed.to_string()).fetch_optional(&world.pool).await?;
    let Some(pid) = pid else { return Ok(Injection::skipped("there was no connection")) };
    send(Pid::from_raw(pid), Signal::SIGKILL).context("the server process can't be killed")?;
    Ok(Injection::Done)
}

pub(super) async fn terminate(world: &World, time: Duration) -> Result<Injection> {
    let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                where application_name = 'docket' and random() < 0.3";
    let end = Instant::now() + time;
    while Instant::now() < end {
        world.ask(sql).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(Injection::Done)
}

/// Nothing can be written. What can be read must be, and who writes must hear of it in time.
pub(super) async fn lock_writes(world: &World, time: Duration, alone: bool) -> Result<Injection> {
    let ticket = world.ticket_list().first().cloned().context("there is no ticket yet")?;
    let mut lock = world.pool.begin().await?;
    sqlx::raw_sql("lock table events in exclusive mode").execute(&mut *lock).await?;
    let path = format!("/v1/tickets/{}", ticket.id);
    let locked = hold(world, time, alone, &path, lock);
    let refused =
        futures_util::future::join_all(world.apis().map(|docket| refused_in_time(world, docket, &ticket, alone)));
    tokio::join!(locked, refused).0
}

/// Nothing can be read either: every connection of the pools waits. Whoever asks whether the process lives is told.
pub(super) async fn lock_all(world: &World, time: Duration, alone: bool) -> Result<Injection> {
    let mut lock = world.pool.begin().await?;
    sqlx::raw_sql("lock table events in access exclusive mode").execute(&mut *lock).await?;
    hold(world, time, alone, "/health/liveness", lock).await
}

/// Holds the lock, and sees to it that what needs none of it goes on. Beside another fault nothing can be said.
async fn hold(
    world: &World,
    time: Duration,
    alone: bool,
    path: &str,
    lock: sqlx::Transaction<'_, sqlx::Postgres>,
) -> Result<Injection> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        for docket in world.apis().filter(|_| alone) {
            let began = Instant::now();
            let answer = world.http.get(format!("{}{path}", docket.url())).bearer_auth(&world.key).send().await;
            let status = answer.map_or(0, |answer| answer.status().as_u16());
            if !(status == 200 || status == 429) || began.elapsed() > AT_ONCE {
                let what =
                    format!("{path} at {} was answered {status} after {:?} under a lock", docket.name, began.elapsed());
                world.findings.add(rules::ANSWERS, what);
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    lock.rollback().await?;
    Ok(Injection::Done)
}

async fn refused_in_time(world: &World, docket: &Docket, ticket: &Ticket, alone: bool) {
    let mut command = world.command(format!("/v1/tickets/{}/notes", ticket.id), Some(ticket));
    let text = format!("Under a lock {}", command.nonce);
    command.body = serde_json::json!({"body": text});
    command.text = Some(text);
    let attempt = world.attempt(docket, &command).await;
    if let (Outcome::Unknown(why), true) = (&attempt.outcome, alone) {
        world.findings.add(rules::ANSWERS, format!("a command at {} under a lock: {why}", docket.name));
    }
    command.attempts.push(attempt);
    ticket.acknowledged(&command);
    world.history.add(command);
}

pub(super) async fn disk_full(world: &World, time: Duration) -> Result<Injection> {
    let disk = &world.disks.0;
    if let Some(why) = &disk.missing {
        return Ok(Injection::skipped(why));
    }
    let filled = disk.fill().await?;
    tokio::time::sleep(time).await;
    drop(filled);
    // it may have given up: its supervisor starts it again
    world.database.ensure().await?;
    Ok(Injection::Done)
}
