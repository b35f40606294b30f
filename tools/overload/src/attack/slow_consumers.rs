use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep_until};

use super::Target;
use crate::connection::{Connection, request};

/// Live streams that are opened and never read.
const STUCK: usize = 256;

/// Opens live streams and never reads them, then requests large responses 20 times a second: pages of a ticket with long
/// replies, pages of the log, and a command against a version that is long past.
pub(super) async fn read_nothing(target: Target, end: Instant) -> Result<()> {
    let (key, ticket) = (&target.keys[0], &target.long.ticket);
    let log = format!("/v1/events?after={}", target.long.position);
    let mut stuck = Vec::with_capacity(STUCK);
    let mut due = interval(Duration::from_millis(10));
    for path in [&format!("{ticket}/events"), &log].into_iter().cycle().take(STUCK) {
        due.tick().await;
        let Ok(mut wire) = Connection::connect(target.address).await else { continue };
        let live = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\naccept: text/event-stream\r\n\r\n"
        );
        wire.stream.write_all(live.as_bytes()).await.ok();
        stuck.push(wire);
    }
    let pages = [
        format!("{ticket}/history?limit=200"),
        format!("{ticket}/conversation?limit=1"),
        format!("{ticket}/events?limit=200"),
        format!("{log}&limit=1"),
    ];
    let body = "{}";
    let stale = format!(
        "POST {ticket}/resolve HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\nif-match: \"1\"\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let asks = pages.iter().map(|path| request("GET", path, Some(key), None)).chain([stale.into_bytes()]);
    let mut due = interval(Duration::from_millis(50));
    let mut asked = JoinSet::new();
    for ask in asks.collect::<Vec<_>>().into_iter().cycle() {
        due.tick().await;
        if Instant::now() >= end {
            break;
        }
        let target = target.clone();
        asked.spawn(async move {
            let reply = match Connection::connect(target.address).await {
                Ok(mut wire) => wire.ask(&ask).await,
                Err(error) => Err(error),
            };
            target.tally.count(reply);
        });
    }
    sleep_until(end.into()).await;
    asked.abort_all();
    Ok(())
}
