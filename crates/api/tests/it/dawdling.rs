//! Clients that send a body slowly. Slow: it takes the 20 s that a body may take.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::raw;
use crate::world::World;

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
    // 10 s without a byte, 20 s in all; a busy machine is late, but not by the whole of it
    for (task, (least, most)) in slow.into_iter().zip([(9, 18), (19, 38)]) {
        let (answer, took) = task.await.unwrap();
        assert_eq!(raw::status(&answer), 408, "{answer}");
        assert_eq!(raw::content(&answer)["error_code"], "body_timeout");
        assert!(answer.contains("connection: close"), "{answer}");
        assert!((least..most).contains(&took.as_secs()), "{took:?}");
    }
}
