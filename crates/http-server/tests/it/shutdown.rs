//! The orderly end.

use std::time::{Duration, Instant};

use http_server::ConnectionLimits;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::world::{GET, Server, eventually, rest, start_of};

#[tokio::test]
async fn shutdown_waits_for_requests_in_flight() {
    let mut server = Server::start(ConnectionLimits::default()).await;
    let mut held = server.connect().await;
    held.write_all(b"GET /held HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut idle = server.connect().await;
    idle.write_all(GET).await.unwrap();
    assert_eq!(start_of(&mut idle).await, "HTTP/1.1 200");
    server.begin_shutdown();
    let address = server.address;
    eventually("no new connections", async || TcpStream::connect(address).await.is_err()).await;
    rest(&mut idle).await;
    server.release();
    assert!(rest(&mut held).await.starts_with("HTTP/1.1 200"));
    server.stopped().await;
}

#[tokio::test]
async fn drain_timeout_ends_what_does_not_finish() {
    let limits = ConnectionLimits { drain_timeout: Duration::from_millis(300), ..ConnectionLimits::default() };
    let server = Server::start(limits).await;
    let mut held = server.connect().await;
    held.write_all(b"GET /held HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let began = Instant::now();
    server.stopped().await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
