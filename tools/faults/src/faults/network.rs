//! Wires: cut, mute in one direction, slow; of one process or of all.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::RngExt;
use rand::rngs::StdRng;

use super::{Fault, Injection};
use crate::docket::Docket;
use crate::proxy::{Mode, Proxy};
use crate::world::World;

pub(super) async fn postgres(world: &World, fault: Fault, time: Duration, rng: &mut StdRng) -> Result<Injection> {
    for_a_time(world, fault, time, rng, |docket| &docket.postgres).await
}

pub(super) async fn nats(world: &World, fault: Fault, time: Duration, rng: &mut StdRng) -> Result<Injection> {
    for_a_time(world, fault, time, rng, |docket| &docket.nats).await
}

async fn for_a_time(
    world: &World,
    fault: Fault,
    time: Duration,
    rng: &mut StdRng,
    wire: impl Fn(&Docket) -> &Proxy,
) -> Result<Injection> {
    let mode = match fault {
        Fault::CutPostgres | Fault::CutNats => Mode::Cut,
        Fault::SlowPostgres | Fault::SlowNats => Mode::Slow(Duration::from_millis(rng.random_range(20..120))),
        _ if rng.random_ratio(1, 3) => Mode::MuteUp,
        _ => Mode::MuteDown,
    };
    let one = rng.random_range(0..world.dockets.len());
    let all = rng.random_ratio(1, 2);
    let record: Vec<&Arc<Docket>> =
        world.dockets.iter().enumerate().filter(|(index, _)| all || *index == one).map(|(_, docket)| docket).collect();
    for docket in &record {
        wire(docket).set(mode);
    }
    tokio::time::sleep(time).await;
    for docket in &record {
        wire(docket).set(Mode::Open);
    }
    Ok(Injection::Done)
}
