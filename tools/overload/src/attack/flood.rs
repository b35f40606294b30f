use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::Target;
use crate::connection::{Connection, request};

/// Four times as many as there are places for commands.
const WRITERS: usize = 2_048;

/// One key sends more than it may, what is cheap to answer.
pub(super) async fn one_key(target: Target, end: Instant) -> Result<()> {
    const CONNECTIONS: u32 = 50;
    let ask = request("GET", "/v1/nothing", Some(&target.keys[0]), None);
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (target, ask) = (target.clone(), ask.clone());
        connections.spawn(async move {
            let mut due = interval(Duration::from_secs(1) * CONNECTIONS / 2_000);
            let mut wire = Connection::connect(target.address).await?;
            while Instant::now() < end {
                due.tick().await;
                let reply = wire.ask(&ask).await;
                let lost = reply.is_err();
                target.tally.count(reply);
                if lost {
                    wire = Connection::connect(target.address).await?;
                }
            }
            std::io::Result::Ok(())
        });
    }
    connections.join_all().await;
    Ok(())
}

/// Clients that write a note, and the next as soon as they are answered: as impolite as can be, `Retry-After` or not.
pub(super) async fn writers(target: Target, end: Instant) -> Result<()> {
    let mut clients = JoinSet::new();
    for n in 0..WRITERS {
        let target = target.clone();
        clients.spawn(async move {
            let key = target.keys[n % target.keys.len()].clone();
            let path = format!("{}/notes", target.tickets[n % target.tickets.len()]);
            let mut wire = None;
            while Instant::now() < end {
                let mut open = match wire.take() {
                    Some(wire) => wire,
                    None => match Connection::connect(target.address).await {
                        Ok(wire) => wire,
                        Err(error) => {
                            target.tally.count(Err(error));
                            tokio::time::sleep(Duration::from_millis(100)).await;
                            continue;
                        }
                    },
                };
                let nonce = target.ledger.nonce();
                let ask = request("POST", &path, Some(&key), Some(&format!("{{\"body\":\"{nonce}\"}}")));
                let reply = open.ask(&ask).await;
                let status = reply.as_ref().map_or(0, |reply| if reply.unknown { 504 } else { reply.status });
                target.ledger.answered(nonce, status);
                wire = reply.as_ref().is_ok_and(|reply| !reply.closes).then_some(open);
                target.tally.count(reply);
            }
        });
    }
    clients.join_all().await;
    Ok(())
}
