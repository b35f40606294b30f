//! What a connection is doing: bytes that arrive, requests that start, responses that are complete.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use hyper::service::Service;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::lingering::Lingering;

type Request = http::Request<hyper::body::Incoming>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The activity of one connection. Times are milliseconds since it was accepted; zero: not yet.
pub(super) struct ConnectionActivity {
    accepted: Instant,
    in_flight: AtomicUsize,
    last_response: AtomicU64,
    /// When the first byte after the last response arrived.
    next_request: AtomicU64,
    /// HTTP/2: bytes arrive that belong to no request.
    multiplexed: AtomicBool,
}

/// Why a connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    HeaderTimeout,
    IdleTimeout,
}

impl ConnectionActivity {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            accepted: Instant::now(),
            in_flight: AtomicUsize::new(0),
            last_response: AtomicU64::new(0),
            next_request: AtomicU64::new(0),
            multiplexed: AtomicBool::new(false),
        })
    }

    fn now(&self) -> u64 {
        // at least 1: zero means never
        u64::try_from(self.accepted.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    fn bytes_arrived(&self) {
        if self.in_flight.load(Ordering::Relaxed) == 0 && self.next_request.load(Ordering::Relaxed) == 0 {
            self.next_request.store(self.now(), Ordering::Relaxed);
        }
    }

    fn request_started(self: &Arc<Self>, multiplexed: bool) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.next_request.store(0, Ordering::Relaxed);
        self.multiplexed.store(multiplexed, Ordering::Relaxed);
        InFlight(self.clone())
    }

    /// When the connection expires if nothing happens until then. `None`: a request is in flight.
    pub(super) fn expiry(&self, idle_timeout: Duration, header_timeout: Duration) -> Option<(Instant, Expiry)> {
        if self.in_flight.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let (last, next) = (self.last_response.load(Ordering::Relaxed), self.next_request.load(Ordering::Relaxed));
        let at = |millis| self.accepted + Duration::from_millis(millis);
        Some(match (last, next) {
            (0, _) => (self.accepted + header_timeout, Expiry::HeaderTimeout),
            (_, 1..) if !self.multiplexed.load(Ordering::Relaxed) => (at(next) + header_timeout, Expiry::HeaderTimeout),
            (last, _) => (at(last) + idle_timeout, Expiry::IdleTimeout),
        })
    }
}

/// A request, until its response is sent or given up.
struct InFlight(Arc<ConnectionActivity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.last_response.store(self.0.now(), Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that records when bytes arrive.
pub(super) struct TrackedIo<S> {
    pub(super) stream: S,
    pub(super) activity: Arc<ConnectionActivity>,
}

impl<S: AsyncRead + Unpin> AsyncRead for TrackedIo<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.bytes_arrived();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TrackedIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// A service that records when requests start and responses are complete.
pub(super) struct TrackedService<S> {
    pub(super) service: S,
    pub(super) activity: Arc<ConnectionActivity>,
}

impl<S, B> Service<Request> for TrackedService<S>
where
    S: Service<http::Request<Lingering>, Response = http::Response<B>>,
    S::Future: Send + 'static,
{
    type Response = http::Response<TrackedBody<B>>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn call(&self, request: Request) -> Self::Future {
        let in_flight = self.activity.request_started(request.version() == http::Version::HTTP_2);
        let response = self.service.call(Lingering::of(request));
        Box::pin(async move { Ok(response.await?.map(|body| TrackedBody { body, _in_flight: in_flight })) })
    }
}

/// The body of a response. The request is in flight until it is dropped.
pub(super) struct TrackedBody<B> {
    body: B,
    _in_flight: InFlight,
}

impl<B: Body + Unpin> Body for TrackedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
