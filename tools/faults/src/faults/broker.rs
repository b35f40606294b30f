//! What happens to NATS. Who starts it again is the checker; who fills it again is Docket.

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use super::Injection;
use crate::recovery::broker_position;
use crate::world::World;

pub(super) async fn kill(world: &World, time: Duration) -> Result<Injection> {
    world.broker.kill().await;
    tokio::time::sleep(time).await;
    world.broker.start_again().await?;
    Ok(Injection::Done)
}

/// A disk that was restored from a copy: the broker has forgotten what it had acknowledged since.
pub(super) async fn set_back(world: &World, time: Duration) -> Result<Injection> {
    world.broker.kill().await;
    world.broker.copy_store().await?;
    world.broker.start_again().await?;
    tokio::time::sleep(time).await;
    world.broker.kill().await;
    world.broker.set_back()?;
    world.broker.start_again().await?;
    Ok(Injection::Done)
}

pub(super) async fn wipe(world: &World) -> Result<Injection> {
    world.broker.kill().await;
    world.broker.wipe()?;
    world.broker.start_again().await?;
    Ok(Injection::Done)
}

pub(super) async fn disk_full(world: &World, time: Duration) -> Result<Injection> {
    let disk = &world.disks.1;
    if let Some(why) = &disk.missing {
        return Ok(Injection::skipped(why));
    }
    let filled = disk.fill().await?;
    tokio::time::sleep(time).await;
    drop(filled);
    // nats-server turns its JetStream off for good when it can't write, or hangs: its operator starts it again
    let goal = world.head().await?;
    let end = Instant::now() + Duration::from_secs(4);
    while Instant::now() < end {
        if let Ok(Ok(at)) = tokio::time::timeout(Duration::from_secs(2), broker_position(world)).await
            && at >= goal
        {
            return Ok(Injection::Done);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    world.broker.kill().await;
    world.broker.start_again().await?;
    Ok(Injection::Done)
}
