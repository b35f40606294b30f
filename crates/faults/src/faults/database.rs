//! What happens to PostgreSQL.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill as send};
use nix::unistd::Pid;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::time::Instant;

use super::Inflicted;
use crate::rules;
use crate::world::World;

/// How fast liveness is to be answered whatever happens, and a read while nothing can be written.
const AT_ONCE: Duration = Duration::from_secs(5);

pub(super) async fn kill(world: &World, rng: &mut StdRng) -> Result<Inflicted> {
    world.database.kill().await;
    tokio::time::sleep(Duration::from_millis(rng.random_range(0..3_000))).await;
    world.database.ensure().await?;
    Ok(Inflicted::Done)
}

/// PostgreSQL then ends all the others too, and recovers.
pub(super) async fn kill_backend(world: &World, seed: u64) -> Result<Inflicted> {
    let sql =
        "select pid from pg_stat_activity where application_name = 'docket' order by md5(pid::text || $1) limit 1";
    let pid: Option<i32> = sqlx::query_scalar(sql).bind(seed.to_string()).fetch_optional(&world.pool).await?;
    let Some(pid) = pid else { return Inflicted::skipped("there was no connection") };
    send(Pid::from_raw(pid), Signal::SIGKILL).context("the server process can't be killed")?;
    Ok(Inflicted::Done)
}

pub(super) async fn terminate(world: &World, time: Duration) -> Result<Inflicted> {
    let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                where application_name = 'docket' and random() < 0.3";
    let end = Instant::now() + time;
    while Instant::now() < end {
        world.ask(sql).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(Inflicted::Done)
}

/// Nothing can be written. What can be read must be, and the refusals must come in time.
pub(super) async fn lock_writes(world: &World, time: Duration) -> Result<Inflicted> {
    let mut lock = world.pool.begin().await?;
    sqlx::raw_sql("lock table events in exclusive mode").execute(&mut *lock).await?;
    let end = Instant::now() + time;
    while Instant::now() < end {
        for docket in world.apis() {
            let Some(ticket) = world.ticket_list().first().cloned() else { continue };
            let began = Instant::now();
            let get = world.http.get(format!("{}/v1/tickets/{}", docket.url(), ticket.id)).bearer_auth(&world.key);
            let answer = get.send().await;
            let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
            if !(status == 200 || status == 429) || began.elapsed() > AT_ONCE {
                let what = format!(
                    "a read at {} was answered {status} after {:?} while writes were locked",
                    docket.name,
                    began.elapsed()
                );
                world.findings.add(rules::ANSWERS, what);
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    lock.rollback().await?;
    Ok(Inflicted::Done)
}

/// Nothing can be read either: every connection of the pools waits.
pub(super) async fn lock_all(world: &World, time: Duration) -> Result<Inflicted> {
    let mut lock = world.pool.begin().await?;
    sqlx::raw_sql("lock table events in access exclusive mode").execute(&mut *lock).await?;
    let end = Instant::now() + time;
    while Instant::now() < end {
        for docket in world.apis() {
            let began = Instant::now();
            let answer = world.http.get(format!("{}/health/liveness", docket.url())).send().await;
            if answer.is_err() || began.elapsed() > AT_ONCE {
                let what = format!("{} did not say that it lives while its pool was exhausted", docket.name);
                world.findings.add(rules::ANSWERS, what);
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    lock.rollback().await?;
    Ok(Inflicted::Done)
}

pub(super) async fn disk_full(world: &World, time: Duration) -> Result<Inflicted> {
    let disk = &world.disks.0;
    if let Some(why) = &disk.missing {
        return Inflicted::skipped(why);
    }
    let filled = disk.fill()?;
    tokio::time::sleep(time).await;
    drop(filled);
    // it may have given up: its supervisor starts it again
    world.database.ensure().await?;
    Ok(Inflicted::Done)
}
