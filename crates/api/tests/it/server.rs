//! The sockets: an orderly end, clients that go away, clients that dawdle.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

#[tokio::test]
async fn who_has_gone_leaves_a_place_for_others() {
    const PLACES: usize = 40;
    let world = World::within(api::Limits { connections: PLACES, ..api::Limits::default() }).await;
    for _ in 0..5 {
        // some ask before they go, some have never said a word
        let mut open = Vec::new();
        for n in 0..PLACES {
            let mut stream = TcpStream::connect(world.server.address).await.unwrap();
            if n % 2 == 0 {
                stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            }
            open.push(stream);
        }
        drop(open);
        eventually("a place", async || {
            let answer = raw::exchange(world.server.address, raw::request("GET", "/healthz", &[], "").as_bytes()).await;
            (raw::status(&answer) == 200).then_some(())
        })
        .await;
    }
    // and none is lost: as many as there are places are served at once
    eventually("all places", async || {
        let mut open = Vec::new();
        for _ in 0..PLACES {
            let mut stream = TcpStream::connect(world.server.address).await.unwrap();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            open.push(stream);
        }
        let mut served = 0;
        for stream in &mut open {
            let mut start = [0; 12];
            served += usize::from(stream.read_exact(&mut start).await.is_ok() && &start == b"HTTP/1.1 200");
        }
        (served == PLACES).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_spoken_is_seen_however_small_its_first_piece_is() {
    let world = World::new().await;
    let trickled = async |text: &[u8]| {
        let mut stream = TcpStream::connect(world.server.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for (n, byte) in text.iter().enumerate() {
            stream.write_all(&[*byte]).await.unwrap();
            if n < 6 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        start
    };
    for method in ["GET", "POST", "PUT"] {
        let start = trickled(raw::request(method, "/healthz", &[], "").as_bytes()).await;
        assert_eq!(&start[..9], b"HTTP/1.1 ", "{method}");
    }
    // HTTP/2 answers its preface and an empty SETTINGS with SETTINGS, which is type 4
    let start = trickled(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert_eq!(start[3], 4, "{start:?}");
}
