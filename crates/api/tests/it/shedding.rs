//! Beyond its bounds the server says 503 at once, and what one kind of request waits for harms no other kind.

use std::time::{Duration, Instant};

use api::Limits;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::raw;
use crate::world::{World, eventually};

/// Holds the table of events until it is dropped.
async fn lock(world: &World) -> sqlx::PgConnection {
    use sqlx::{Connection, Executor};
    let mut connection = sqlx::PgConnection::connect(world.database.url()).await.unwrap();
    connection.execute("begin; lock table events").await.unwrap();
    connection
}

#[tokio::test]
async fn more_commands_than_there_are_places_for_are_refused_at_once_while_lists_are_read() {
    let world = World::within(Limits { requests: 2, ..Limits::default() }).await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    for path in ["/v1/tickets", "/v1/reports/queues"] {
        admin.get(path).await.ok(200);
    }
    let locked = lock(&world).await;
    let mut hanging = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (admin, ticket) = (admin.clone(), ticket.clone());
        hanging.spawn(async move {
            loop {
                admin.command(&ticket, "notes", &json!({"body": "x"})).await;
            }
        });
    }
    // those of them that have a place wait for the log; after a while its appender says no as well
    let answers = (0..8).map(|_| async { admin.command(&ticket, "notes", &json!({"body": "x"})).await });
    let answers = futures_util::future::join_all(answers).await;
    let shed = answers.iter().find(|answer| answer.text().contains("are under way")).expect("no place");
    shed.problem(503, "overloaded");
    assert!(shed.header("retry-after").parse::<u32>().unwrap() >= 1);
    for path in ["/v1/tickets", "/v1/reports/queues", "/health/liveness", "/openapi.json"] {
        let began = Instant::now();
        admin.get(path).await.ok(200);
        assert!(began.elapsed() < Duration::from_secs(5), "{path} took {:?}", began.elapsed());
    }
    drop(locked);
    hanging.shutdown().await;
    eventually("commands again", async || {
        (admin.command(&ticket, "notes", &json!({"body": "x"})).await.status == 201).then_some(())
    })
    .await;
}

#[tokio::test]
async fn while_the_log_is_locked_a_caller_who_was_seen_is_let_in_to_what_is_there() {
    let world = World::new().await;
    let admin = world.admin().await;
    admin.get("/v1/tickets").await.ok(200);
    let _locked = lock(&world).await;
    admin.get("/v1/tickets").await.ok(200);
}

#[tokio::test]
async fn more_live_streams_than_there_are_places_for_are_refused() {
    let world = World::within(Limits { streams: 2, ..Limits::default() }).await;
    let admin = world.admin().await;
    let follow = async || {
        let mut stream = TcpStream::connect(world.server.address).await.unwrap();
        let token = admin.token.as_ref().unwrap();
        let request = format!(
            "GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\naccept: text/event-stream\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut head).await.unwrap();
        (stream, String::from_utf8(head.to_vec()).unwrap())
    };
    let (one, two) = (follow().await, follow().await);
    assert_eq!((one.1.as_str(), two.1.as_str()), ("HTTP/1.1 200", "HTTP/1.1 200"));
    assert_eq!(follow().await.1, "HTTP/1.1 503");
    admin.get("/v1/events").await.ok(200);
    drop(one);
    eventually("a place again", async || (follow().await.1 == "HTTP/1.1 200").then_some(())).await;
}

#[tokio::test]
async fn bodies_take_no_more_memory_than_there_is_for_them() {
    let world = World::within(Limits { body_bytes: 256 * 1024, ..Limits::default() }).await;
    let admin = world.admin().await;
    let token = format!("authorization: Bearer {}", admin.token.clone().unwrap());
    let body = "x".repeat(200 * 1024);
    let request = raw::request("POST", "/v1/tickets", &[&token, "content-type: application/json"], &body);
    // one that has sent most of its body holds that memory
    let mut slow = TcpStream::connect(world.server.address).await.unwrap();
    slow.write_all(&request.as_bytes()[..request.len() - 10]).await.unwrap();
    let large = json!({"subject": "x", "body": "y".repeat(60 * 1024), "tags": vec!["z"; 1_000]});
    let answer = eventually("no memory", async || {
        Some(admin.post("/v1/tickets", &large).await).filter(|answer| answer.status == 503)
    });
    answer.await.problem(503, "overloaded");
    admin.open(&json!({})).await;
    drop(slow);
    eventually("memory again", async || (admin.post("/v1/tickets", &large).await.status == 422).then_some(())).await;
}

#[tokio::test]
async fn more_connections_than_there_are_places_for_are_told_so() {
    let world = World::within(Limits {
        connections: api::ConnectionLimits { max: 8, ..Default::default() },
        ..Limits::default()
    })
    .await;
    let mut open = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(world.server.address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut byte = [0];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut byte).await.unwrap();
        open.push(stream);
    }
    let mut ninth = TcpStream::connect(world.server.address).await.unwrap();
    let told = raw::rest(&mut ninth).await;
    assert_eq!(raw::status(&told), 503, "{told}");
    assert!(told.contains("retry-after: 1") && raw::content(&told)["error_code"] == "overloaded", "{told}");
    // idle ones make room by themselves when there is none
    eventually("a place", async || {
        let mut stream = TcpStream::connect(world.server.address).await.ok()?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.ok()?;
        raw::rest(&mut stream).await.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;
}
