use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::interval;

use super::Target;
use crate::connection::{Connection, request};

const LARGE: usize = 10_000_000;
const PIECE: usize = 64 * 1024;
const SLOW: usize = 500;
const INVALID: usize = 16;

/// Bodies of 10 MB with a valid key, ten a second. The client reads while it sends.
pub(super) async fn large(target: Target, declared: bool, end: Instant) -> Result<()> {
    let mut due = interval(Duration::from_millis(100));
    let mut sent = JoinSet::new();
    while Instant::now() < end {
        due.tick().await;
        sent.spawn(send(target.clone(), declared));
    }
    while tokio::time::timeout(Duration::from_secs(5), sent.join_next()).await.is_ok_and(|task| task.is_some()) {}
    Ok(())
}

async fn send(target: Target, declared: bool) {
    let Ok(wire) = Connection::connect(target.address).await else {
        return target.tally.count(Err(std::io::ErrorKind::NotConnected.into()));
    };
    let framing = if declared { format!("content-length: {LARGE}") } else { "transfer-encoding: chunked".to_owned() };
    let head = format!(
        "POST /v1/tickets HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n{framing}\r\n\r\n",
        target.keys[0]
    );
    let (read, mut write) = wire.stream.into_split();
    let sending = tokio::spawn(async move {
        let mut piece = vec![b' '; PIECE];
        if !declared {
            piece.splice(..0, format!("{PIECE:x}\r\n").into_bytes());
            piece.extend_from_slice(b"\r\n");
        }
        if write.write_all(head.as_bytes()).await.is_ok() {
            for _ in 0..LARGE / PIECE {
                if write.write_all(&piece).await.is_err() {
                    break;
                }
            }
        }
        // the connection stays open: it is the server that has to end it
        write
    });
    let reply = Connection::only_read(read).await;
    target.tally.count(reply);
    sending.abort();
}

/// Bodies that are as large as is allowed, and in which almost everything is wrong, sixteen at once.
pub(super) async fn invalid(target: Target, end: Instant) -> Result<()> {
    let key = &target.keys[2];
    let requests = [wrong_tags(), unknown_members()].map(|body| request("POST", "/v1/tickets", Some(key), Some(&body)));
    let mut clients = JoinSet::new();
    for ask in requests.iter().cycle().take(INVALID) {
        let (target, ask) = (target.clone(), ask.clone());
        clients.spawn(async move {
            while Instant::now() < end {
                let reply = match Connection::connect(target.address).await {
                    Ok(mut wire) => wire.ask(&ask).await,
                    Err(error) => Err(error),
                };
                target.tally.count(reply);
            }
        });
    }
    clients.join_all().await;
    Ok(())
}

/// 500,000 tags that are numbers.
fn wrong_tags() -> String {
    format!(r#"{{"subject":"x","body":"y","tags":[{}1]}}"#, "1,".repeat(499_999))
}

/// 105,000 members of other names, in less than 1 MiB.
fn unknown_members() -> String {
    let members: Vec<_> = (0..105_000).map(|n| format!(r#""{n:x}":1"#)).collect();
    format!("{{{}}}", members.join(","))
}

/// Slow clients: bodies that arrive one byte a second, with a valid key.
pub(super) async fn slow(target: Target, end: Instant) -> Result<()> {
    let mut connections = JoinSet::new();
    for n in 0..SLOW {
        let target = target.clone();
        connections.spawn(async move {
            // not all in the same moment
            tokio::time::sleep(Duration::from_millis(2) * u32::try_from(n).unwrap_or(0)).await;
            while Instant::now() < end {
                let reply = send_slowly(&target, end).await;
                if Instant::now() < end {
                    target.tally.count(reply);
                }
            }
        });
    }
    connections.join_all().await;
    Ok(())
}

async fn send_slowly(target: &Target, end: Instant) -> std::io::Result<crate::connection::Reply> {
    let wire = Connection::connect(target.address).await?;
    let whole = request("POST", "/v1/tickets", Some(&target.keys[1]), Some(&" ".repeat(100_000)));
    let (read, mut write) = wire.stream.into_split();
    write.write_all(&whole[..whole.len() - 99_000]).await?;
    let sending = tokio::spawn(async move {
        while Instant::now() < end && write.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let left = end.saturating_duration_since(Instant::now());
    let reply = tokio::time::timeout(left, Connection::only_read(read)).await;
    sending.abort();
    reply.unwrap_or(Err(std::io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_bodies_are_within_the_limit_of_1_mib() {
        for body in [wrong_tags(), unknown_members()] {
            assert!((900_000..1 << 20).contains(&body.len()), "{}", body.len());
            assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok());
        }
    }
}
