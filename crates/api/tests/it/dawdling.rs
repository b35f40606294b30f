//! Clients that keep a connection and bring no request. Slow: it takes the 10 s that headers may take.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::raw;
use crate::world::World;

/// Takes 10 s: the time that headers may take.
#[tokio::test]
async fn slow_a_client_that_does_not_come_to_the_point_is_cut_off_after_10_s() {
    let world = World::new().await;
    let address = world.server.address;
    // nothing at all, half a line, half a header, half of the HTTP/2 preface, a header now and then
    let starts = ["", "GET /heal", "GET /healthz HTTP/1.1\r\nhost: x\r\nx-a", "PRI * HTTP/2.0\r\n\r\n"];
    let silent = starts.map(|start| {
        tokio::spawn(async move {
            let began = Instant::now();
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(start.as_bytes()).await.unwrap();
            raw::rest(&mut stream).await;
            (start, began.elapsed())
        })
    });
    let dribble = tokio::spawn(async move {
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").await.unwrap();
        while stream.write_all(b"x-a: 1\r\n").await.is_ok() && began.elapsed() < Duration::from_secs(25) {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        ("dribble", began.elapsed())
    });
    for task in silent.into_iter().chain([dribble]) {
        let (what, took) = task.await.unwrap();
        assert!((9..15).contains(&took.as_secs()), "{what:?} took {took:?}");
    }
    world.anyone().get("/healthz").await.ok(200);
}
