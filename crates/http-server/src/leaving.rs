//! Connections whose client has gone. To close a socket costs the kernel as much as to answer a request, and thousands
//! may be left at once, when a proxy or a phone network goes down: they are closed a few at a time, so that whoever is
//! still there has a turn in between.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::yield_now;

/// How many are closed in one turn.
const AT_ONCE: usize = 8;

/// A socket, and the place that it takes until it is closed.
type Held = (TcpStream, OwnedSemaphorePermit);

/// The way to the task that closes.
pub(super) type Door = mpsc::UnboundedSender<Held>;

/// Where what is left behind is closed. Ends when nobody can leave any more.
pub(super) fn door() -> Door {
    // no longer than there are places
    let (door, mut left) = mpsc::unbounded_channel::<Held>();
    tokio::spawn(async move {
        let mut some = Vec::with_capacity(AT_ONCE);
        while left.recv_many(&mut some, AT_ONCE).await > 0 {
            some.clear();
            yield_now().await;
        }
    });
    door
}

/// A connection that goes through the door if its client has gone before, and is closed on the spot if not.
pub(super) struct Leaving {
    held: Option<Held>,
    gone: bool,
    door: Door,
}

impl Leaving {
    pub(super) fn new(stream: TcpStream, place: OwnedSemaphorePermit, door: Door) -> Self {
        Self { held: Some((stream, place)), gone: false, door }
    }

    /// What comes first, which stays where it is; zero: the client has gone.
    pub(super) async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let peeked = match &self.held {
            Some((stream, _)) => stream.peek(buf).await?,
            None => 0,
        };
        self.gone = peeked == 0;
        Ok(peeked)
    }

    /// It is there until the drop.
    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.held.as_mut().map(|(stream, _)| Pin::new(stream)).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if self.gone
            && let Some(held) = self.held.take()
        {
            // with nobody at the door it is closed here
            self.door.send(held).ok();
        }
    }
}

impl AsyncRead for Leaving {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.remaining();
        let polled = self.stream()?.poll_read(cx, buf);
        self.gone |= matches!(polled, Poll::Ready(Ok(()))) && before > 0 && buf.remaining() == before;
        polled
    }
}

impl AsyncWrite for Leaving {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // to be closed ends it, too
        if self.gone {
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
        self.held.as_ref().is_some_and(|(stream, _)| stream.is_write_vectored())
    }
}
