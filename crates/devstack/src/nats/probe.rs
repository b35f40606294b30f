//! Asks a server whether its `JetStream` answers, in NATS's own protocol.

use std::net::Ipv4Addr;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// Returns when `JetStream` has answered, or says what was answered instead. The caller bounds the time.
pub(super) async fn ask(port: u16, user: &str, password: &str) -> Result<(), String> {
    converse(port, user, password).await.unwrap_or_else(|error| Err(error.to_string()))
}

async fn converse(port: u16, user: &str, password: &str) -> std::io::Result<Result<(), String>> {
    let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let (read, mut write) = server.split();
    let request = format!(
        "CONNECT {{\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true,\"user\":\"{user}\",\
         \"pass\":\"{password}\"}}\r\nSUB _INBOX.probe 1\r\nPUB $JS.API.INFO _INBOX.probe 0\r\n\r\n"
    );
    write.write_all(request.as_bytes()).await?;
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        if line.starts_with("-ERR") {
            return Ok(Err(line));
        }
        if line == "PING" {
            write.write_all(b"PONG\r\n").await?;
        }
        // the answer is JSON, or the status 503 where nobody answers
        if line.starts_with("NATS/1.0 503") {
            return Ok(Err("JetStream is off".into()));
        }
        if line.starts_with('{') {
            let refused = line.contains("\"error\":");
            return Ok(if refused { Err(line) } else { Ok(()) });
        }
    }
    Ok(Err("the server closed the connection".into()))
}
