//! A minimal HTTP client: an attack must load the server, not the attacker.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

/// A connection.
pub(crate) struct Connection<S = TcpStream> {
    pub(crate) stream: S,
    read: Vec<u8>,
}

/// What of an answer matters here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u32>,
    pub(crate) closes: bool,
    /// The server itself does not know what became of it.
    pub(crate) unknown: bool,
}

impl Connection {
    pub(crate) async fn connect(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::new() })
    }

    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<Reply> {
        self.stream.write_all(request).await?;
        self.reply().await
    }
}

impl Connection<OwnedReadHalf> {
    /// The answer to what somebody else sends.
    pub(crate) async fn only_read(stream: OwnedReadHalf) -> io::Result<Reply> {
        Self { stream, read: Vec::new() }.reply().await
    }
}

impl<S: AsyncRead + Unpin> Connection<S> {
    /// Reads an answer to its end.
    pub(crate) async fn reply(&mut self) -> io::Result<Reply> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.read[..end]).to_ascii_lowercase();
        let header = |name: &str| {
            head.lines().filter_map(|line| line.split_once(": ")).find(|(n, _)| *n == name).map(|(_, value)| value)
        };
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        let length: usize = header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        while self.read.len() < end + length {
            self.more().await?;
        }
        let body = &self.read[end..end + length];
        let reply = Reply {
            status,
            retry_after: header("retry-after").and_then(|value| value.parse().ok()),
            closes: header("connection") == Some("close"),
            unknown: body.windows(15).any(|window| window == b"outcome_unknown"),
        };
        self.read.drain(..end + length);
        Ok(reply)
    }

    async fn more(&mut self) -> io::Result<()> {
        if self.stream.read_buf(&mut self.read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

/// The bytes of a request.
pub(crate) fn request(method: &str, path: &str, key: Option<&str>, body: Option<&str>) -> Vec<u8> {
    let key = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
    let body =
        body.map(|body| format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
    let body = body.unwrap_or_else(|| "\r\n".to_owned());
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{key}{body}").into_bytes()
}
