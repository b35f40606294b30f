//! Closing the sockets of clients that have gone. `close` costs the kernel as much as a response, and thousands of
//! clients may go at once, when a proxy or a phone network fails. Their sockets are closed a few at a time, so that the
//! remaining clients are served in between.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::yield_now;

/// How many sockets are closed before the task yields.
const CLOSES_PER_TURN: usize = 8;

/// A socket, and its connection permit, which is held until the socket is closed.
type OpenSocket = (TcpStream, OwnedSemaphorePermit);

pub(super) type CloseQueue = mpsc::UnboundedSender<OpenSocket>;

/// Starts the task that closes sockets. It ends when the last sender is dropped.
pub(super) fn close_queue() -> CloseQueue {
    // bounded all the same: each entry holds a permit
    let (queue, mut closing) = mpsc::unbounded_channel::<OpenSocket>();
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(CLOSES_PER_TURN);
        while closing.recv_many(&mut batch, CLOSES_PER_TURN).await > 0 {
            batch.clear();
            yield_now().await;
        }
    });
    queue
}

/// A connection that is closed by the queue if its client closed first, and at once otherwise.
pub(super) struct DeferredClose {
    /// `Some` until the drop.
    socket: Option<OpenSocket>,
    peer_closed: bool,
    queue: CloseQueue,
}

impl DeferredClose {
    pub(super) fn new(stream: TcpStream, permit: OwnedSemaphorePermit, queue: CloseQueue) -> Self {
        Self { socket: Some((stream, permit)), peer_closed: false, queue }
    }

    /// Reads the first bytes without consuming them. Zero: the client has closed.
    pub(super) async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let peeked = match &self.socket {
            Some((stream, _)) => stream.peek(buf).await?,
            None => 0,
        };
        self.peer_closed = peeked == 0;
        Ok(peeked)
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.socket.as_mut().map(|(stream, _)| Pin::new(stream)).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for DeferredClose {
    fn drop(&mut self) {
        if self.peer_closed
            && let Some(socket) = self.socket.take()
        {
            // without a receiver it is closed here
            self.queue.send(socket).ok();
        }
    }
}

impl AsyncRead for DeferredClose {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.remaining();
        let polled = self.stream()?.poll_read(cx, buf);
        self.peer_closed |= matches!(polled, Poll::Ready(Ok(()))) && before > 0 && buf.remaining() == before;
        polled
    }
}

impl AsyncWrite for DeferredClose {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // the close that follows ends the connection, too: one system call less
        if self.peer_closed {
            return Poll::Ready(Ok(()));
        }
        self.stream()?.poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.as_ref().is_some_and(|(stream, _)| stream.is_write_vectored())
    }
}
