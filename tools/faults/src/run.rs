//! One run: clients, faults, recovery, and then verification.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::faults::{Fault, Injection, inject};
use crate::recovery::{Limits, measure};
use crate::report::{FaultRecord, Report, say};
use crate::schedule::{Schedule, Step};
use crate::world::World;
use crate::{follow, readers, rules, verify, writers};

/// What a run is to be.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) program: PathBuf,
    pub(crate) seed: u64,
    pub(crate) duration: Duration,
    pub(crate) faults: Vec<Fault>,
    pub(crate) limits: Limits,
    pub(crate) writers: u64,
    pub(crate) pace: Duration,
    /// How long a leader is paused.
    pub(crate) pause: Duration,
    /// `FAILPOINTS` of every process.
    pub(crate) planted: String,
    /// Where the processes' logs are kept if something is wrong.
    pub(crate) keep: Option<PathBuf>,
}

/// Live streams that are followed.
const FOLLOWERS: usize = 2;

/// Runs it.
pub(crate) async fn run(plan: &Plan) -> Result<Report> {
    let began = Instant::now();
    let number = u16::try_from(plan.seed & 0xffff).unwrap_or_default();
    let world = Arc::new(World::start(plan, number).await?);
    say(&format!(
        "  {} processes up in {:.1} s, in {}",
        world.dockets.len(),
        began.elapsed().as_secs_f64(),
        world.dir().display()
    ));
    let result = in_world(&world, plan, began).await;
    if let (Some(keep), true) = (&plan.keep, result.as_ref().map_or(true, |report| !report.is_sound())) {
        keep_logs(&world, keep)?;
    }
    match Arc::try_unwrap(world) {
        Ok(world) => world.stop().await,
        Err(world) => drop(world),
    }
    result
}

async fn in_world(world: &Arc<World>, plan: &Plan, began: Instant) -> Result<Report> {
    let mut clients = clients(world, plan);
    let mut followers = JoinSet::new();
    for number in 0..FOLLOWERS {
        followers.spawn(follow::live(world.clone(), number));
    }
    followers.spawn(follow::table(world.clone()));

    let end = Instant::now() + plan.duration;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut faults = BTreeMap::new();
    for step in Schedule::new(plan.seed, &plan.faults) {
        if Instant::now() + step.quiet >= end {
            break;
        }
        strike(world, step, plan.limits, &mut faults).await?;
    }
    tokio::time::sleep_until(end).await;

    say("  clients stop");
    world.clients_stop.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client?;
    }
    measure(world, "the whole run", plan.limits).await?;
    let stop = async || {
        // a follower may still be on its way
        caught_up(world, plan.limits.readers).await;
        world.followers_stop.store(true, Ordering::Relaxed);
        followers.join_all().await
    };
    let account = verify::all(world, world.history.take(), stop).await?;
    look_for_panics(world)?;
    let answers = world.answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Report {
        seed: plan.seed,
        seconds: began.elapsed().as_secs(),
        events: u64::try_from(world.head().await?).unwrap_or_default(),
        account,
        faults,
        answers,
        broken: world.findings.all(),
    })
}

fn clients(world: &Arc<World>, plan: &Plan) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    let reached = Arc::new(AtomicI64::new(0));
    for number in 0..plan.writers {
        clients.spawn(writers::write(world.clone(), plan.seed.wrapping_add(number), plan.pace));
    }
    for number in 100..102 {
        let seed = plan.seed.wrapping_add(number);
        clients.spawn(readers::read(world.clone(), seed, plan.pace));
        clients.spawn(readers::list(world.clone(), seed, plan.pace * 2, reached.clone()));
    }
    clients
}

async fn strike(
    world: &Arc<World>,
    step: Step,
    limits: Limits,
    faults: &mut BTreeMap<String, FaultRecord>,
) -> Result<()> {
    tokio::time::sleep(step.quiet).await;
    let name = step.faults.iter().map(|(fault, _)| fault.name()).collect::<Vec<_>>().join(" + ");
    let began = Instant::now();
    let strikes = step.faults.iter().map(|(fault, seed)| inject(world, *fault, *seed, step.faults.len() == 1));
    let injections = futures_util::future::join_all(strikes).await;
    // a fault that can't be done is told, and is none of Docket's
    let skipped: Vec<_> = injections
        .into_iter()
        .filter_map(|injections| match injections {
            Ok(Injection::Done) => None,
            Ok(Injection::Skipped(why)) => Some(why),
            Err(error) => Some(format!("{error:#}")),
        })
        .collect();
    world.database.ensure().await?;
    let lasted = began.elapsed().as_secs_f64();
    let recovered = measure(world, &name, limits).await?;
    let shown = |time: Option<f64>| time.map_or("never".to_owned(), |time| format!("{time:.1} s"));
    let (writes, readers) = (shown(recovered.writes), shown(recovered.readers));
    let passed = if skipped.is_empty() { String::new() } else { format!("; skipped: {}", skipped.join("; ")) };
    say(&format!("  {name}: {lasted:.1} s; writes after {writes}, readers after {readers}{passed}"));
    let record = faults.entry(name).or_default();
    record.times += 1;
    record.skipped.extend(skipped);
    record.recovered.push(recovered);
    Ok(())
}

/// Waits until the followers have seen all, or can be expected to have.
async fn caught_up(world: &World, limit: Duration) {
    let Ok(head) = world.head().await else { return };
    let end = Instant::now() + limit;
    while Instant::now() < end {
        let followed = world.followed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if followed.values().all(|at| *at >= head) {
            // the reader of the table tells nobody where it is
            tokio::time::sleep(Duration::from_millis(300)).await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn look_for_panics(world: &World) -> Result<()> {
    for docket in &world.dockets {
        let log = std::fs::read(docket.log_path()).context("a process's log")?;
        for line in String::from_utf8_lossy(&log).lines().filter(|line| line.contains("panicked at")) {
            world.findings.add(rules::ANSWERS, format!("{}: {line}", docket.name));
        }
    }
    Ok(())
}

fn keep_logs(world: &World, keep: &std::path::Path) -> Result<()> {
    std::fs::create_dir_all(keep)?;
    for docket in &world.dockets {
        std::fs::copy(docket.log_path(), keep.join(format!("{}.log", docket.name)))?;
    }
    say(&format!("  the processes' logs are in {}", keep.display()));
    Ok(())
}
