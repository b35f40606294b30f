use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use super::Target;
use crate::connection::Connection;

const CONNECTIONS: u32 = 500;

/// Connections whose headers come a byte a second and never end.
pub(super) async fn slow(target: Target, end: Instant) -> Result<()> {
    let mut connections = JoinSet::new();
    for n in 0..CONNECTIONS {
        let target = target.clone();
        connections.spawn(async move {
            tokio::time::sleep(Duration::from_millis(2) * n).await;
            while Instant::now() < end {
                let ended = send_slowly(&target, end).await;
                if Instant::now() < end {
                    target.tally.count(ended.and(Err(std::io::ErrorKind::UnexpectedEof.into())));
                }
            }
        });
    }
    connections.join_all().await;
    Ok(())
}

/// Until the server has had enough.
async fn send_slowly(target: &Target, end: Instant) -> std::io::Result<()> {
    let mut wire = Connection::connect(target.address).await?;
    wire.stream.write_all(b"GET /v1/tickets HTTP/1.1\r\nhost: localhost\r\nx-a: ").await?;
    while Instant::now() < end {
        wire.stream.write_all(b"a").await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}
