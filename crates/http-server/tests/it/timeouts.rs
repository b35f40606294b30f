//! Clients that keep a connection and bring no request, or not the whole of it.

use std::time::{Duration, Instant};

use http_server::ConnectionLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{GET, GET_AND_CLOSE, Server, rest};

#[tokio::test]
async fn header_timeout_ends_incomplete_requests() {
    let limits = ConnectionLimits { header_timeout: Duration::from_secs(2), ..ConnectionLimits::default() };
    let server = Server::start(limits).await;
    // nothing at all, half a line, half a header, half of the HTTP/2 preface, a header now and then
    let starts = ["", "GET /heal", "GET / HTTP/1.1\r\nhost: x\r\nx-a", "PRI * HTTP/2.0\r\n\r\n"];
    let mut tasks = Vec::new();
    for start in starts {
        let mut stream = server.connect().await;
        tasks.push(tokio::spawn(async move {
            let began = Instant::now();
            stream.write_all(start.as_bytes()).await.unwrap();
            rest(&mut stream).await;
            (start, began.elapsed())
        }));
    }
    let mut stream = server.connect().await;
    tasks.push(tokio::spawn(async move {
        let began = Instant::now();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
        while stream.write_all(b"x-a: 1\r\n").await.is_ok() && began.elapsed() < Duration::from_secs(15) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        ("dribble", began.elapsed())
    }));
    for task in tasks {
        let (what, took) = task.await.unwrap();
        assert!((1_800..10_000).contains(&took.as_millis()), "{what:?} took {took:?}");
    }
    assert!(server.exchange(GET_AND_CLOSE).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn idle_connection_outlives_header_timeout() {
    let limits = ConnectionLimits {
        header_timeout: Duration::from_millis(500),
        idle_timeout: Duration::from_secs(4),
        ..ConnectionLimits::default()
    };
    let server = Server::start(limits).await;
    let mut stream = server.connect().await;
    for _ in 0..2 {
        stream.write_all(GET).await.unwrap();
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\n") {
            response.push(stream.read_u8().await.unwrap());
        }
        assert!(response.starts_with(b"HTTP/1.1 200"));
        // longer than the headers of a request may take, shorter than it may be idle
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    let began = Instant::now();
    rest(&mut stream).await;
    assert!((1..15).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}
