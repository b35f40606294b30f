//! What hyper answers by itself to a request that it can't read (400, 414, 431) is a status without a body, and no layer
//! sees it. Here it gets the body that every error has, on its way to the socket.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection on which a bare error is completed by what `complete` says of its status: header lines and a body.
pub(super) struct Completed<S, F> {
    stream: S,
    complete: F,
    /// What goes out in the place of the bare error, and how much of it has.
    pending: Option<(Vec<u8>, usize)>,
}

impl<S: AsyncWrite + Unpin, F: Fn(StatusCode) -> Vec<u8>> Completed<S, F> {
    pub(super) fn new(stream: S, complete: F) -> Self {
        Self { stream, complete, pending: None }
    }

    /// Writes what is pending; true once there is nothing.
    fn poll_pending(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some((bytes, written)) = &mut self.pending {
            let n = ready!(Pin::new(&mut self.stream).poll_write(context, &bytes[*written..]))?;
            *written += n;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if *written == bytes.len() {
                self.pending = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// A response as HTTP/1.1 sends it, after which the connection is closed.
pub(super) fn encode(response: http::Response<String>) -> Vec<u8> {
    let (parts, body) = response.into_parts();
    let mut bytes = format!("HTTP/1.1 {}\r\n", parts.status).into_bytes();
    for (name, value) in &parts.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

/// The status of a whole answer that says nothing but its status. Ours all have a body and an `x-request-id`.
fn bare(answer: &[u8]) -> Option<StatusCode> {
    let text = std::str::from_utf8(answer.strip_prefix(b"HTTP/1.1 ")?).ok()?;
    let mut lines = text.strip_suffix("\r\n\r\n")?.split("\r\n");
    let status = lines.next()?.get(..3)?.parse::<StatusCode>().ok().filter(StatusCode::is_client_error)?;
    let silent = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap_or_default();
        matches!((name, value), ("content-length", "0") | ("connection", "close") | ("date", _))
    };
    lines.all(silent).then_some(status)
}

impl<S: AsyncWrite + Unpin, F: Fn(StatusCode) -> Vec<u8> + Unpin> AsyncWrite for Completed<S, F> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.pending.is_none() {
            let Some(status) = bare(buf) else { return Pin::new(&mut this.stream).poll_write(context, buf) };
            this.pending = Some(((this.complete)(status), 0));
        }
        // hyper comes again with the same bytes until they are taken
        ready!(this.poll_pending(context))?;
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // a bare error is one piece, and has nothing after it
        if let [one] = bufs {
            return self.poll_write(context, one);
        }
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl<S: AsyncRead + Unpin, F: Unpin> AsyncRead for Completed<S, F> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_that_says_nothing_is_completed() {
        let date = "date: Sat, 31 Jan 2026 09:30:00 GMT\r\n\r\n";
        for (head, status) in [
            ("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n", Some(400)),
            ("HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n", Some(431)),
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n", None),
            ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nx-request-id: 7\r\n", None),
            ("HTTP/1.1 404 Not Found\r\ncontent-length: 7\r\n", None),
            ("HTTP/1.0 400 Bad Request\r\n", None),
            ("{\"a\": 1}", None),
        ] {
            assert_eq!(bare(format!("{head}{date}").as_bytes()).map(|s| s.as_u16()), status, "{head}");
        }
    }
}
