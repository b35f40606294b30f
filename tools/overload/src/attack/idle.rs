use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::{interval, sleep_until};

use super::{IDLE, Target};
use crate::connection::{Connection, request};

/// Connections that ask once, and then nothing more.
pub(super) async fn hold(target: Target, end: Instant) -> Result<()> {
    let ask = request("GET", "/health/liveness", None, None);
    let mut open = Vec::with_capacity(IDLE);
    let mut due = interval(Duration::from_millis(10));
    while open.len() < IDLE && Instant::now() < end {
        due.tick().await;
        for _ in 0..10 {
            let Ok(mut wire) = Connection::connect(target.address).await else { continue };
            target.tally.count(wire.ask(&ask).await);
            open.push(wire);
        }
    }
    sleep_until(end.into()).await;
    Ok(())
}
