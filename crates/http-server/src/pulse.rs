//! What a connection is doing, told by what passes through it: bytes that come, requests that begin, answers that are
//! done.

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

/// Times in milliseconds since the connection was made; zero: not yet.
pub(super) struct Pulse {
    made: Instant,
    under_way: AtomicUsize,
    /// When the last answer was done.
    answered: AtomicU64,
    /// When the first byte came after that.
    stirred: AtomicU64,
    /// HTTP/2: bytes come that belong to no request.
    multiplexed: AtomicBool,
}

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// It has not brought a request in time.
    Silent,
    /// It has had nothing to do for long enough.
    Idle,
}

impl Pulse {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            made: Instant::now(),
            under_way: AtomicUsize::new(0),
            answered: AtomicU64::new(0),
            stirred: AtomicU64::new(0),
            multiplexed: AtomicBool::new(false),
        })
    }

    fn now(&self) -> u64 {
        // later than zero, which means never
        u64::try_from(self.made.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    fn stir(&self) {
        if self.under_way.load(Ordering::Relaxed) == 0 && self.stirred.load(Ordering::Relaxed) == 0 {
            self.stirred.store(self.now(), Ordering::Relaxed);
        }
    }

    fn begin(self: &Arc<Self>, multiplexed: bool) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.stirred.store(0, Ordering::Relaxed);
        self.multiplexed.store(multiplexed, Ordering::Relaxed);
        UnderWay(self.clone())
    }

    /// When the connection is to end if nothing happens until then; `idle` is how long it may have nothing to do, `headers` how
    /// long the headers of a request may take.
    /// None: it is at work.
    pub(super) fn due(&self, idle: Duration, headers: Duration) -> Option<(Instant, Due)> {
        if self.under_way.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let (answered, stirred) = (self.answered.load(Ordering::Relaxed), self.stirred.load(Ordering::Relaxed));
        let at = |millis| self.made + Duration::from_millis(millis);
        Some(match (answered, stirred) {
            (0, _) => (self.made + headers, Due::Silent),
            (_, 1..) if !self.multiplexed.load(Ordering::Relaxed) => (at(stirred) + headers, Due::Silent),
            (answered, _) => (at(answered) + idle, Due::Idle),
        })
    }
}

/// A request, until its answer is done or given up.
struct UnderWay(Arc<Pulse>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.answered.store(self.0.now(), Ordering::Relaxed);
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The bytes of a connection, which tell its pulse.
pub(super) struct Felt<S> {
    pub(super) stream: S,
    pub(super) pulse: Arc<Pulse>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Felt<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pulse.stir();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Felt<S> {
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

/// The service of one connection, which tells its pulse.
pub(super) struct Answering<S> {
    pub(super) service: S,
    pub(super) pulse: Arc<Pulse>,
}

impl<S, B> Service<Request> for Answering<S>
where
    S: Service<http::Request<Lingering>, Response = http::Response<B>>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Answer<B>>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn call(&self, request: Request) -> Self::Future {
        let under_way = self.pulse.begin(request.version() == http::Version::HTTP_2);
        let answer = self.service.call(Lingering::of(request));
        Box::pin(async move { Ok(answer.await?.map(|body| Answer { body, _under_way: under_way })) })
    }
}

/// The body of an answer; with its end the request's.
pub(super) struct Answer<B> {
    body: B,
    _under_way: UnderWay,
}

impl<B: Body + Unpin> Body for Answer<B> {
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
