//! How many connections there may be.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http_server::ConnectionLimits;
use tokio::io::AsyncWriteExt;

use crate::world::{GET, GET_AND_CLOSE, Server, eventually, rest, start_of};

#[tokio::test]
async fn connection_beyond_max_gets_503_until_an_idle_one_is_closed() {
    let limits =
        ConnectionLimits { max: 8, crowded_idle_timeout: Duration::from_millis(500), ..ConnectionLimits::default() };
    let server = Server::start(limits).await;
    let mut open = Vec::new();
    for _ in 0..8 {
        let mut stream = server.connect().await;
        stream.write_all(GET).await.unwrap();
        assert_eq!(start_of(&mut stream).await, "HTTP/1.1 200");
        open.push(stream);
    }
    let mut ninth = server.connect().await;
    let response = rest(&mut ninth).await;
    assert!(response.starts_with("HTTP/1.1 503 Service Unavailable\r\nx-from: hooks\r\n"), "{response}");
    assert!(response.ends_with("connection: close\r\ncontent-length: 8\r\n\r\ntoo many"), "{response}");
    assert_eq!(server.counts.refused.load(Ordering::Relaxed), 1);
    eventually("a free connection", async || {
        let mut stream = server.connect().await;
        stream.write_all(GET_AND_CLOSE).await.ok();
        rest(&mut stream).await.starts_with("HTTP/1.1 200")
    })
    .await;
}

#[tokio::test]
async fn closed_connections_free_their_permits() {
    const MAX: usize = 40;
    let server = Server::start(ConnectionLimits { max: MAX, ..ConnectionLimits::default() }).await;
    for _ in 0..5 {
        // some send a request before they go, some send nothing
        let mut open = Vec::new();
        for n in 0..MAX {
            let mut stream = server.connect().await;
            if n % 2 == 0 {
                stream.write_all(GET).await.unwrap();
            }
            open.push(stream);
        }
        drop(open);
        eventually("a free connection", async || server.exchange(GET_AND_CLOSE).await.starts_with("HTTP/1.1 200"))
            .await;
    }
    eventually("no connection is counted as open", async || server.counts.open.load(Ordering::Relaxed) == 0).await;
    // none was lost: as many as the limit allows are served at once
    eventually("all permits", async || {
        let mut open = Vec::new();
        for _ in 0..MAX {
            let mut stream = server.connect().await;
            stream.write_all(GET).await.unwrap();
            open.push(stream);
        }
        let mut answered = 0;
        for stream in &mut open {
            answered += usize::from(start_of(stream).await == "HTTP/1.1 200");
        }
        answered == MAX
    })
    .await;
}
