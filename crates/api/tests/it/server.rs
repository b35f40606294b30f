//! Shutdown, and clients that go away.

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::raw;
use crate::world::{World, eventually};

#[tokio::test]
async fn a_server_that_ends_is_not_ready_and_still_alive() {
    let world = World::new().await;
    let anyone = world.anyone();
    anyone.get("/health/readiness").await.ok(200);
    world.server.app.drain();
    for path in ["/health/readiness", "/readyz"] {
        anyone.get(path).await.problem(503, "unavailable");
    }
    anyone.get("/health/liveness").await.ok(200);
    let admin = world.admin().await;
    admin.open(&json!({})).await;
}

#[tokio::test]
async fn a_request_under_way_comes_to_its_end_when_the_server_stops() {
    let mut world = World::new().await;
    let admin = world.admin().await;
    admin.get("/v1/nothing").await.problem(404, "not_found");
    let token = format!("authorization: Bearer {}", admin.token.clone().unwrap());
    let body = json!({"subject": "x", "body": "x"}).to_string();
    let request = raw::request("POST", "/v1/tickets", &[&token, "content-type: application/json"], &body);
    let (first, last) = request.split_at(request.len() - 5);
    let mut stream = TcpStream::connect(world.server.address).await.unwrap();
    stream.write_all(first.as_bytes()).await.unwrap();
    let mut idle = TcpStream::connect(world.server.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    // the server has read so far: what came later on another connection is answered
    world.anyone().get("/healthz").await.ok(200);
    world.server.tell_to_stop();
    let address = world.server.address;
    eventually("no new connections", async || TcpStream::connect(address).await.err().map(drop)).await;
    assert!(raw::rest(&mut idle).await.starts_with("HTTP/1.1 200"), "an idle connection is closed");
    stream.write_all(last.as_bytes()).await.unwrap();
    let answer = raw::rest(&mut stream).await;
    assert_eq!(raw::status(&answer), 201, "{answer}");
    world.server.stopped().await;
}

#[tokio::test]
async fn a_command_is_recorded_also_when_its_client_hangs_up() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    let token = format!("authorization: Bearer {}", admin.token.clone().unwrap());
    let path = format!("{ticket}/notes");
    for n in 0..20 {
        let body = json!({"body": format!("note {n}")}).to_string();
        let request = raw::request("POST", &path, &[&token, "content-type: application/json"], &body);
        let mut stream = TcpStream::connect(world.server.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        drop(stream);
    }
    eventually("all notes", async || (admin.version(&ticket).await == 21).then_some(())).await;
    // and each once
    let history = admin.get(&format!("{ticket}/conversation")).await.json();
    let notes = history["items"].as_array().unwrap().iter().skip(1).map(|m| m["body"].to_string());
    assert_eq!(notes.collect::<std::collections::BTreeSet<_>>().len(), 20);
}

#[tokio::test]
async fn half_a_request_does_nothing() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    let token = format!("authorization: Bearer {}", admin.token.clone().unwrap());
    let request = raw::request(
        "POST",
        &format!("{ticket}/notes"),
        &[&token, "content-type: application/json"],
        "{\"body\": \"x\"}",
    );
    for cut in [1, 5, 13, 20] {
        let mut stream = TcpStream::connect(world.server.address).await.unwrap();
        stream.write_all(&request.as_bytes()[..request.len() - cut]).await.unwrap();
        stream.shutdown().await.unwrap();
        raw::rest(&mut stream).await;
    }
    assert_eq!(admin.version(&ticket).await, 1);
}
