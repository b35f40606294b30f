//! Clients that keep a connection and bring no request, or not the whole of it. Slow: it takes the 10 s that headers
//! may take, the 20 s of a body.

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

/// Takes 20 s: the time that a body may take.
#[tokio::test]
async fn slow_a_body_that_does_not_come_is_answered_408_and_keeps_nobody_waiting() {
    // one place, which a slow body does not take
    let world = World::within(api::Limits { requests: 1, ..api::Limits::default() }).await;
    let admin = world.admin().await;
    let token = format!("authorization: Bearer {}", admin.token.clone().unwrap());
    let lines = [token.as_str(), "content-type: application/json"];
    let request = raw::request("POST", "/v1/tickets", &lines, &" ".repeat(10_000));
    let request = request.replace("connection: close\r\n", "");
    let start = request.len() - 10_000 + 10;
    let address = world.server.address;
    let slow = [Duration::from_mins(1), Duration::from_millis(500)].map(|pause| {
        let request = request.clone();
        tokio::spawn(async move {
            let began = Instant::now();
            let stream = TcpStream::connect(address).await.unwrap();
            let (mut read, mut write) = stream.into_split();
            write.write_all(&request.as_bytes()[..start]).await.unwrap();
            let dribble = tokio::spawn(async move {
                while write.write_all(b" ").await.is_ok() && began.elapsed() < Duration::from_secs(40) {
                    tokio::time::sleep(pause).await;
                }
            });
            let mut answer = String::new();
            tokio::io::AsyncReadExt::read_to_string(&mut read, &mut answer).await.ok();
            let took = began.elapsed();
            dribble.abort();
            (answer, took)
        })
    });
    for _ in 0..20 {
        admin.open(&serde_json::json!({})).await;
    }
    for (task, (least, most)) in slow.into_iter().zip([(9, 13), (19, 23)]) {
        let (answer, took) = task.await.unwrap();
        assert_eq!(raw::status(&answer), 408, "{answer}");
        assert_eq!(raw::content(&answer)["error_code"], "body_timeout");
        assert!(answer.contains("connection: close"), "{answer}");
        assert!((least..most).contains(&took.as_secs()), "{took:?}");
    }
}

/// Takes 12 s: longer than headers may take.
#[tokio::test]
async fn slow_a_connection_waits_for_its_next_request_longer_than_headers_may_take() {
    let limits = api::Limits { keep_alive: Duration::from_secs(14), ..api::Limits::default() };
    let world = World::within(limits).await;
    let ask = async |stream: &mut TcpStream| {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut head = [0; 15];
        tokio::io::AsyncReadExt::read_exact(stream, &mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        while !String::from_utf8_lossy(&head).contains('}') {
            tokio::io::AsyncReadExt::read_exact(stream, &mut head[..1]).await.unwrap();
        }
    };
    let mut stream = TcpStream::connect(world.server.address).await.unwrap();
    ask(&mut stream).await;
    tokio::time::sleep(Duration::from_secs(12)).await;
    ask(&mut stream).await;
    // then it has nothing to do, and is ended
    let began = Instant::now();
    raw::rest(&mut stream).await;
    assert!((12..20).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}
