//! What the log holds of requests that carry secrets or control characters.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::{Server, docket};

/// Sends bytes and reads until the server closes.
async fn exchange(server: &Server, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.ok();
    String::from_utf8_lossy(&response).into_owned()
}

async fn log_of(format: &str) -> (String, String) {
    let dir = devstack::testing::temp_dir();
    let mut command = docket(dir.path());
    command.args(["serve", "--log-format", format, "--log", "info,docket=trace,api=trace,http_server=trace"]);
    let server = Server::start_with(dir.path(), &mut command).await;
    let key = server.key.clone();
    let id = &key[..20];
    let secret = key[20..].to_owned();
    let host = "host: x\r\nconnection: close\r\n";
    for request in [
        // C1 controls, DEL, a bidi override; as UTF-8 and as raw bytes
        format!("GET /c1-\u{9b}31m-\u{202e} HTTP/1.1\r\n{host}\r\n").as_bytes(),
        format!("GET /del-\u{7f} HTTP/1.1\r\n{host}\r\n").as_bytes(),
        &[b"GET /raw-\x9b31m HTTP/1.1\r\n", host.as_bytes(), b"\r\n"].concat(),
        // a key in the path, the query, the request id and other headers
        format!("GET /v1/{key}?key={key} HTTP/1.1\r\n{host}authorization: Bearer {key}\r\nx-request-id: {key}\r\n\r\n")
            .as_bytes(),
        format!("GET /healthz HTTP/1.1\r\n{host}traceparent: {key}\r\nuser-agent: {key}\u{9b}\r\n\r\n").as_bytes(),
        format!("GET /v1/tickets/{key}/{key} HTTP/1.1\r\n{host}authorization: {key}\r\nidempotency-key: {key}\r\n\r\n")
            .as_bytes(),
        format!("{key} / HTTP/1.1\r\n{host}\r\n").as_bytes(),
    ] {
        let response = exchange(&server, request).await;
        assert!(response.starts_with("HTTP/1.1 "), "{response}");
        let (head, _) = response.split_once("\r\n\r\n").unwrap();
        assert!(!head.contains(&secret), "{head}");
    }
    server.signal("-TERM");
    assert!(server.ended().await.success());
    let read = |name| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let log = read("stdout.log") + &read("stderr.log");
    assert!(!log.contains(&secret) && !log.contains(&secret[..secret.len() - 8]), "{log}");
    let is_unsafe = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    let raw: Vec<&str> = log.lines().filter(|line| line.contains(is_unsafe)).collect();
    assert!(raw.is_empty(), "{raw:#?}");
    (log, format!("/v1/{id}***"))
}

#[tokio::test]
async fn json_log_has_no_keys_and_no_control_characters() {
    let (log, masked) = log_of("json").await;
    assert!(log.contains("/c1-\\u009b31m-\\u202e") && log.contains(&masked), "{log}");
    for line in log.lines().filter(|line| line.starts_with('{')) {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

#[tokio::test]
async fn text_log_has_no_keys_and_no_control_characters() {
    let (log, masked) = log_of("text").await;
    assert!(log.contains("/c1-") && log.contains(&masked), "{log}");
}
