//! Bodies for hyper's own errors. hyper responses a request that it can't parse (400, 414, 431) with a status and no body,
//! and no layer sees that response. It is replaced here, on its way to the socket.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream on which an error without a body is replaced by the response that `respond` gives for its status.
pub(super) struct ErrorBodyWriter<S, F> {
    stream: S,
    respond: F,
    /// The replacement, and how many bytes of it are written.
    pending: Option<(Vec<u8>, usize)>,
}

impl<S: AsyncWrite + Unpin, F: Fn(StatusCode) -> Vec<u8>> ErrorBodyWriter<S, F> {
    pub(super) fn new(stream: S, respond: F) -> Self {
        Self { stream, respond, pending: None }
    }

    /// Writes what is pending.
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

/// The status of an error response of hyper's own. The service's responses have further headers.
fn bodiless_error(response: &[u8]) -> Option<StatusCode> {
    let text = std::str::from_utf8(response.strip_prefix(b"HTTP/1.1 ")?).ok()?;
    let mut lines = text.strip_suffix("\r\n\r\n")?.split("\r\n");
    let status = lines.next()?.get(..3)?.parse::<StatusCode>().ok().filter(StatusCode::is_client_error)?;
    let is_hypers = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap_or_default();
        matches!((name, value), ("content-length", "0") | ("connection", "close") | ("date", _))
    };
    lines.all(is_hypers).then_some(status)
}

impl<S: AsyncWrite + Unpin, F: Fn(StatusCode) -> Vec<u8> + Unpin> AsyncWrite for ErrorBodyWriter<S, F> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.pending.is_none() {
            let Some(status) = bodiless_error(buf) else { return Pin::new(&mut this.stream).poll_write(context, buf) };
            this.pending = Some(((this.respond)(status), 0));
        }
        // hyper passes the same bytes again until they are accepted
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
        // an error of hyper's own is one piece, with nothing after it
        if let [one] = bufs {
            return self.poll_write(context, one);
        }
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl<S: AsyncRead + Unpin, F: Unpin> AsyncRead for ErrorBodyWriter<S, F> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bodiless_errors_are_replaced() {
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
            assert_eq!(bodiless_error(format!("{head}{date}").as_bytes()).map(|s| s.as_u16()), status, "{head}");
        }
    }
}
