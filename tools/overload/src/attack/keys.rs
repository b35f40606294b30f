use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::Target;
use crate::connection::{Connection, request};

const CONNECTIONS: u64 = 25;
const RATE: u64 = 500;

/// What is wrong with the keys.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wrong {
    Checksum,
    Id,
    Secret,
}

/// Requests with wrong keys, another one each time.
pub(super) async fn flood(target: Target, wrong: Wrong, end: Instant) -> Result<()> {
    let mut connections = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let target = target.clone();
        connections.spawn(async move {
            let mut due = interval(
                Duration::from_secs(1) * u32::try_from(CONNECTIONS).unwrap_or(1) / u32::try_from(RATE).unwrap_or(1),
            );
            let mut wire = None;
            for n in 0.. {
                due.tick().await;
                if Instant::now() >= end {
                    return;
                }
                let key = forged(&target, wrong, connection << 32 | n);
                let ask = request("GET", "/v1/tickets", Some(&key), None);
                let mut open = match wire.take() {
                    Some(wire) => wire,
                    None => match Connection::connect(target.address).await {
                        Ok(wire) => wire,
                        Err(error) => {
                            target.tally.count(Err(error));
                            continue;
                        }
                    },
                };
                let reply = open.ask(&ask).await;
                wire = reply.as_ref().is_ok_and(|reply| !reply.closes).then_some(open);
                target.tally.count(reply);
            }
        });
    }
    connections.join_all().await;
    Ok(())
}

fn forged(target: &Target, wrong: Wrong, n: u64) -> String {
    let id = match wrong {
        Wrong::Id => format!("{:016x}", n ^ 0x5a5a_5a5a_5a5a_5a5a),
        Wrong::Checksum | Wrong::Secret => target.known_id.clone(),
    };
    let key = format!("dk_{id}_{:064x}", (u128::from(n) << 64) | 0x0123_4567_89ab_cdef);
    let checksum = crc32fast::hash(key.as_bytes());
    let off = u32::from(matches!(wrong, Wrong::Checksum));
    format!("{key}{:08x}", checksum ^ off)
}
