//! Whatever was put on hold until a time is woken, late after downtime, and once: a second waking would be an illegal step.

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

use crate::rules;
use crate::world::World;

/// The longest hold, and what timers and their read model may take for it beside.
const HOLD: Duration = Duration::from_secs(10);

/// Tickets that still wait for their time.
const WAITING: &str = "select count(*) from (
    select distinct on (stream_id) type, payload->>'wake_at' as wake_at from events
     where type in ('ticket.put_on_hold', 'ticket.resumed', 'ticket.resolved', 'ticket.reopened', 'ticket.closed')
     order by stream_id, version desc) last
 where type = 'ticket.put_on_hold' and wake_at is not null";

/// Waits until nothing is left for timers to do.
pub(super) async fn wait(world: &World) -> Result<()> {
    let deadline = Instant::now() + HOLD + world.limits.readers;
    loop {
        let waiting = world.ask(WAITING).await?;
        if waiting == 0 {
            return Ok(());
        }
        if Instant::now() > deadline {
            world.findings.add(rules::RECOVERY, format!("{waiting} tickets on hold were not woken in time"));
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
