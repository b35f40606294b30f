//! A client that costs little: one keep-alive connection, one write and usually one read a request, and no more of the
//! answer understood than is checked. On a shared machine a comfortable client would be measured instead of the server.

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A keep-alive connection of one caller.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    /// What every request of this caller carries.
    always: String,
    request: Vec<u8>,
    received: Vec<u8>,
}

/// An answer, as far as a bench looks at it.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The ticket's version, from the `ETag`.
    pub version: Option<i64>,
    /// The body.
    pub body: &'a [u8],
}

/// An answer's head.
struct Head {
    status: u16,
    version: Option<i64>,
    /// Where the body begins and ends.
    start: usize,
    end: usize,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// The connection's.
    pub async fn connect(address: SocketAddr, key: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let always = format!("host: {address}\r\nauthorization: Bearer {key}\r\n");
        Ok(Self { stream, always, request: Vec::new(), received: Vec::with_capacity(16 * 1024) })
    }

    /// Asks for something; with a version that is known already, if there is one.
    ///
    /// # Errors
    /// The connection's, or that the answer is none.
    pub async fn get(&mut self, path: &str, known: Option<i64>) -> Result<Answer<'_>> {
        self.request.clear();
        write!(self.request, "GET {path} HTTP/1.1\r\n{}", self.always)?;
        if let Some(version) = known {
            write!(self.request, "if-none-match: \"{version}\"\r\n")?;
        }
        self.request.extend_from_slice(b"\r\n");
        self.exchange().await
    }

    /// Sends a command; `version` is what it has seen.
    ///
    /// # Errors
    /// The connection's, or that the answer is none.
    pub async fn post(&mut self, path: &str, version: Option<i64>, key: &str, body: &str) -> Result<Answer<'_>> {
        self.request.clear();
        write!(self.request, "POST {path} HTTP/1.1\r\n{}", self.always)?;
        write!(self.request, "content-type: application/json\r\ncontent-length: {}\r\n", body.len())?;
        if let Some(version) = version {
            write!(self.request, "if-match: \"{version}\"\r\n")?;
        }
        write!(self.request, "idempotency-key: {key}\r\n\r\n{body}")?;
        self.exchange().await
    }

    async fn exchange(&mut self) -> Result<Answer<'_>> {
        self.stream.write_all(&self.request).await?;
        self.received.clear();
        let head = loop {
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the server has hung up");
            if let Some(head) = read_head(&self.received)? {
                break head;
            }
        };
        while self.received.len() < head.end {
            ensure!(self.stream.read_buf(&mut self.received).await? > 0, "the server has hung up");
        }
        ensure!(self.received.len() == head.end, "more than an answer");
        Ok(Answer { status: head.status, version: head.version, body: &self.received[head.start..] })
    }
}

/// None where it is not all there yet.
fn read_head(bytes: &[u8]) -> Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = response.parse(bytes)? else { return Ok(None) };
    let status = response.code.context("a status")?;
    let text = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let length = match status {
        204 | 304 => 0,
        _ => text("content-length").context("an answer without a length")?.parse::<usize>()?,
    };
    let version = text("etag").and_then(|tag| tag.trim_matches('"').parse().ok());
    Ok(Some(Head { status, version, start, end: start + length }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_all_there() {
        let bytes = b"HTTP/1.1 201 Created\r\nETag: \"7\"\r\nContent-Length: 2\r\n\r\n{}";
        assert!(read_head(&bytes[..40]).unwrap().is_none());
        let head = read_head(bytes).unwrap().unwrap();
        assert_eq!((head.status, head.version, &bytes[head.start..head.end]), (201, Some(7), &b"{}"[..]));
        let known = b"HTTP/1.1 304 Not Modified\r\nETag: \"7\"\r\n\r\n";
        let head = read_head(known).unwrap().unwrap();
        assert_eq!((head.status, head.start, head.end), (304, known.len(), known.len()));
        assert!(read_head(b"no HTTP\r\n\r\n").is_err());
    }
}
