//! What happens to `docket` processes. Who starts them again is their supervisor.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use nix::sys::signal::Signal;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::time::Instant;

use super::Injection;
use crate::docket::Docket;
use crate::recovery::read_models;
use crate::rules;
use crate::world::World;

/// How long a process may take to come by a failpoint.
const PATIENCE: Duration = Duration::from_secs(20);
fn any<'a>(world: &'a World, rng: &mut StdRng) -> &'a Arc<Docket> {
    &world.dockets[rng.random_range(0..world.dockets.len())]
}

pub(super) async fn kill(world: &World, rng: &mut StdRng) -> Result<Injection> {
    let docket = any(world, rng);
    let before = docket.exits();
    docket.signal(Signal::SIGKILL);
    Ok(ended(docket, before).await)
}

pub(super) async fn kill_all(world: &World) -> Result<Injection> {
    world.dockets.iter().for_each(|docket| docket.signal(Signal::SIGKILL));
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ok(Injection::Done)
}

pub(super) async fn stop(world: &World, rng: &mut StdRng) -> Result<Injection> {
    let docket = any(world, rng);
    let before = docket.exits();
    docket.signal(Signal::SIGTERM);
    let deadline = Instant::now() + Duration::from_secs(45);
    while docket.exits() == before {
        if Instant::now() > deadline {
            world.findings.add(rules::RECOVERY, format!("{} did not stop within 45 s of being told to", docket.name));
            docket.signal(Signal::SIGKILL);
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(Injection::Done)
}

async fn ended(docket: &Docket, before: u64) -> Injection {
    let deadline = Instant::now() + PATIENCE;
    while docket.exits() == before {
        if Instant::now() > deadline {
            return Injection::Skipped(format!("{} did not come by it within {} s", docket.name, PATIENCE.as_secs()));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Injection::Done
}

/// Arms a place, and waits for the process to die there.
async fn kill_at(docket: &Docket, place: &str, after: u32) -> Result<Injection> {
    let before = docket.exits();
    docket.arm(place, &format!("{after}*off->return"))?;
    let injections = ended(docket, before).await;
    if injections != Injection::Done {
        docket.arm(place, "off")?;
        return Ok(injections);
    }
    let by_itself = docket.last_exit().and_then(|exit| std::os::unix::process::ExitStatusExt::signal(&exit));
    if by_itself != Some(Signal::SIGABRT as i32) {
        return Ok(Injection::skipped(format!("{} ended before it came by: {:?}", docket.name, docket.last_exit())));
    }
    Ok(Injection::Done)
}

pub(super) async fn kill_writer(world: &World, place: &str, rng: &mut StdRng) -> Result<Injection> {
    let writers: Vec<_> = world.apis().collect();
    kill_at(writers[rng.random_range(0..writers.len())], place, rng.random_range(1..40)).await
}

pub(super) async fn kill_projector(world: &World, place: &str, rng: &mut StdRng) -> Result<Injection> {
    let Some(docket) = projector(world).await? else { return Ok(Injection::skipped("nobody led")) };
    kill_at(docket, place, rng.random_range(1..40)).await
}

pub(super) async fn kill_relay(world: &World, place: &str, rng: &mut StdRng) -> Result<Injection> {
    let Some(docket) = relay(world).await else { return Ok(Injection::skipped("nobody published")) };
    kill_at(docket, place, rng.random_range(1..20)).await
}

pub(super) async fn kill_rebuild(world: &World, place: &str) -> Result<Injection> {
    let Some(docket) = projector(world).await? else { return Ok(Injection::skipped("nobody led")) };
    let generation = live(world).await?;
    if !ask_for_rebuild(world).await {
        return Ok(Injection::skipped("the rebuild was not accepted"));
    }
    let injections = kill_at(docket, place, 0).await?;
    // whoever leads next goes on with it
    swapped(world, generation).await?;
    Ok(injections)
}

pub(super) async fn rebuild(world: &World) -> Result<Injection> {
    let generation = live(world).await?;
    if !ask_for_rebuild(world).await {
        return Ok(Injection::skipped("the rebuild was not accepted"));
    }
    swapped(world, generation).await?;
    Ok(Injection::Done)
}

async fn live(world: &World) -> Result<i64> {
    world.ask("select coalesce(max(generation), 0)::bigint from read_models.generations where name = 'tickets' and state = 'live'").await
}

async fn ask_for_rebuild(world: &World) -> bool {
    for docket in world.apis() {
        let post = world.http.post(format!("{}/v1/projections/tickets/rebuild", docket.url())).bearer_auth(&world.key);
        if post.send().await.is_ok_and(|answer| answer.status() == 202) {
            return true;
        }
    }
    false
}

async fn swapped(world: &World, before: i64) -> Result<()> {
    let deadline = Instant::now() + Duration::from_mins(2);
    while live(world).await? <= before {
        if Instant::now() > deadline {
            world.findings.add(rules::RECOVERY, "a rebuild was not finished within two minutes");
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let differs = world.ask("select count(*) from read_models.generations where comparison like 'differs%'").await?;
    if differs > 0 {
        world.findings.add(rules::READ_MODELS, "a rebuild says that it differs from what it replaced");
    }
    Ok(())
}

/// Who leads the tickets' projection: PostgreSQL knows which of its processes holds the lock, the wires whose that is.
async fn projector(world: &World) -> Result<Option<&Arc<Docket>>> {
    let sql = "select l.pid from pg_locks l, read_models.generations g,
                      lateral hashtextextended('lead projection ' || g.name || ' v' || g.schema_version, 0) h (key)
                where g.name = 'tickets' and g.state = 'live' and l.locktype = 'advisory' and l.granted
                  and l.classid::bigint = (h.key >> 32) & 4294967295 and l.objid::bigint = h.key & 4294967295";
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let holder: Option<i32> = sqlx::query_scalar(sql).fetch_optional(&world.pool).await?;
        let found = holder.and_then(|pid| world.dockets.iter().find(|docket| docket.postgres.has_backend(pid)));
        if found.is_some() {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(None)
}

/// Who publishes.
async fn relay(world: &World) -> Option<&Arc<Docket>> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        for docket in &world.dockets {
            if docket.relays(&world.http).await {
                return Some(docket);
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    None
}

pub(super) async fn pause_projector(world: &World, rng: &mut StdRng) -> Result<Injection> {
    let Some(docket) = projector(world).await? else { return Ok(Injection::skipped("nobody led")) };
    let taken_over = async |goal: i64| {
        let models = read_models(world).await.unwrap_or_default();
        !models.is_empty() && models.iter().all(|(_, at)| *at >= goal)
    };
    pause(world, docket, "read models", taken_over, rng).await
}

pub(super) async fn pause_relay(world: &World, rng: &mut StdRng) -> Result<Injection> {
    let Some(docket) = relay(world).await else { return Ok(Injection::skipped("nobody published")) };
    let taken_over = async |goal: i64| crate::recovery::broker_position(world).await.is_ok_and(|at| at >= goal);
    pause(world, docket, "the broker", taken_over, rng).await
}

/// Stops a leader without ending it, sees another take over, and wakes the zombie up.
async fn pause(
    world: &World,
    docket: &Docket,
    what: &str,
    taken_over: impl AsyncFn(i64) -> bool,
    rng: &mut StdRng,
) -> Result<Injection> {
    docket.signal(Signal::SIGSTOP);
    let end = Instant::now() + world.pause.mul_f64(rng.random_range(1.0..1.2));
    tokio::time::sleep(Duration::from_secs(1)).await;
    // what was appended since it was stopped can only be another's work
    let goal = world.head().await? + 1;
    let mut over = false;
    while Instant::now() < end {
        over = over || taken_over(goal).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    docket.signal(Signal::SIGCONT);
    if !over {
        let what = format!("nobody took over {what} while {} was paused", docket.name);
        world.findings.add(rules::RECOVERY, what);
    }
    Ok(Injection::Done)
}

pub(super) async fn clock(world: &World, rng: &mut StdRng, time: Duration) -> Result<Injection> {
    let docket = any(world, rng);
    let off = if rng.random_ratio(1, 2) { 3_600 } else { -3_600 };
    docket.at_next_start(&format!("clock.off=return({off})"));
    let before = docket.exits();
    docket.signal(Signal::SIGKILL);
    ended(docket, before).await;
    tokio::time::sleep(time).await;
    let before = docket.exits();
    docket.signal(Signal::SIGKILL);
    Ok(ended(docket, before).await)
}
