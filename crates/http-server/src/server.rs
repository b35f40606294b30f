//! The connections of one listener.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::{Body, Bytes};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tower_service::Service;

use crate::activity::{ConnectionActivity, Expiry, TrackedIo, TrackedService};
use crate::deferred_close::{CloseQueue, DeferredClose, close_queue};
use crate::error_body::{self, ErrorBodyWriter};
use crate::{BoxError, ConnectionError, ConnectionLimits, Hooks, RequestBody};

/// How often a connection's activity is checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// How long a graceful close of an idle connection may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The most streams of one HTTP/2 connection.
const HTTP2_STREAMS: u32 = 128;
/// The read buffer of a connection. A header section that doesn't fit is refused unread.
const READ_BUFFER: u32 = 64 * 1024;

/// The start of the HTTP/2 preface (RFC 9113, section 3.4). No HTTP/1.1 method starts so.
const HTTP2_PREFACE: &[u8] = b"PRI ";

async fn shutdown_requested(shutdown: &mut watch::Receiver<bool>) {
    // a dropped sender is a shutdown, too
    shutdown.wait_for(|requested| *requested).await.map(drop).ok();
}

pub(crate) struct Server<S, H> {
    service: S,
    hooks: Arc<H>,
    limits: ConnectionLimits,
    http1: Builder<TokioExecutor>,
    /// For clients that may speak HTTP/2. It reads the preface again, and buffers twice as much.
    either: Builder<TokioExecutor>,
    close_queue: CloseQueue,
    permits: Arc<Semaphore>,
    /// The response to a connection beyond the limit.
    overloaded: Vec<u8>,
    last_warning: std::sync::Mutex<Option<Instant>>,
}

impl<S, B, H> Server<S, H>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    H: Hooks,
{
    pub(crate) fn new(service: S, hooks: H, mut limits: ConnectionLimits, local: Option<SocketAddr>) -> Self {
        limits.max = limits.max.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        let overloaded = error_body::encode(hooks.error_response(ConnectionError::TooManyConnections, local));
        let mut either = Builder::new(TokioExecutor::new());
        // A client that closes its half of the connection after the request has sent it in full: the request is handled,
        // and answered if the client still reads. hyper's header timeout is off, because it would also close connections
        // that wait for their next request; `ConnectionActivity` tells the two apart.
        either
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .half_close(true)
            .max_buf_size(READ_BUFFER as usize);
        either
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(Duration::from_secs(20)))
            .max_concurrent_streams(HTTP2_STREAMS)
            .max_header_list_size(READ_BUFFER);
        Self {
            service,
            hooks: Arc::new(hooks),
            http1: either.clone().http1_only(),
            either,
            close_queue: close_queue(),
            permits: Arc::new(Semaphore::new(limits.max)),
            limits,
            overloaded,
            last_warning: std::sync::Mutex::default(),
        }
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.limits.max - self.permits.available_permits()
    }

    /// Returns when the last connection has closed.
    pub(crate) async fn drained(&self) {
        self.permits.acquire_many(u32::try_from(self.limits.max).unwrap_or(u32::MAX)).await.ok();
    }

    fn is_crowded(&self) -> bool {
        self.permits.available_permits() < self.limits.max / 4
    }

    pub(crate) fn accept(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr, shutdown: &watch::Receiver<bool>) {
        match self.permits.clone().try_acquire_owned() {
            Ok(permit) => {
                stream.set_nodelay(true).ok();
                let local = stream.local_addr().ok();
                let stream = DeferredClose::new(stream, permit, self.close_queue.clone());
                tokio::spawn(self.clone().handle_connection(stream, local, shutdown.clone()));
            }
            Err(_) => self.reject(&stream, peer),
        }
    }

    /// Sends the response without waiting for the socket, and closes it.
    fn reject(&self, stream: &TcpStream, peer: SocketAddr) {
        self.hooks.connection_refused();
        stream.try_write(&self.overloaded).ok();
        let mut last_warning = self.last_warning.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if last_warning.is_none_or(|at| at.elapsed() > CHECK_INTERVAL) {
            *last_warning = Some(Instant::now());
            tracing::warn!(%peer, "all {} connections are in use; new ones are refused", self.limits.max);
        }
    }

    /// Detects the protocol and serves the connection until it closes.
    async fn handle_connection(
        self: Arc<Self>,
        mut stream: DeferredClose,
        local: Option<SocketAddr>,
        mut shutdown: watch::Receiver<bool>,
    ) {
        self.hooks.connection_opened();
        let activity = ConnectionActivity::new();
        if let Some(builder) = self.detect_protocol(&mut stream, &activity, &mut shutdown).await {
            self.serve_connection(builder, stream, local, activity, shutdown).await;
        }
        self.hooks.connection_closed();
    }

    /// The builder for the client's protocol. `None`: the connection ended before the first byte.
    async fn detect_protocol(
        &self,
        stream: &mut DeferredClose,
        activity: &ConnectionActivity,
        shutdown: &mut watch::Receiver<bool>,
    ) -> Option<&Builder<TokioExecutor>> {
        let mut first = [0; HTTP2_PREFACE.len()];
        tokio::select! {
            biased;
            peeked = stream.peek(&mut first) => match peeked {
                Ok(0) | Err(_) => None,
                Ok(n) if HTTP2_PREFACE.starts_with(&first[..n]) => Some(&self.either),
                Ok(_) => Some(&self.http1),
            },
            expiry = self.expired(activity) => {
                tracing::debug!(?expiry, "closing a connection");
                None
            }
            () = shutdown_requested(shutdown) => None,
        }
    }

    async fn serve_connection(
        &self,
        builder: &Builder<TokioExecutor>,
        stream: DeferredClose,
        local: Option<SocketAddr>,
        activity: Arc<ConnectionActivity>,
        mut shutdown: watch::Receiver<bool>,
    ) {
        let service =
            TrackedService { service: TowerToHyperService::new(self.service.clone()), activity: activity.clone() };
        let hooks = self.hooks.clone();
        let respond =
            move |status| error_body::encode(hooks.error_response(ConnectionError::Unreadable(status), local));
        let stream = ErrorBodyWriter::new(stream, respond);
        let io = TokioIo::new(TrackedIo { stream, activity: activity.clone() });
        let mut connection = std::pin::pin!(builder.serve_connection(io, service));
        let mut stopping = false;
        loop {
            tokio::select! {
                served = connection.as_mut() => {
                    if let Err(error) = served {
                        tracing::debug!(error, "a connection ended early");
                    }
                    break;
                }
                expiry = self.expired(&activity) => {
                    tracing::debug!(?expiry, "closing a connection");
                    if expiry == Expiry::IdleTimeout {
                        connection.as_mut().graceful_shutdown();
                        tokio::time::timeout(CLOSE_TIMEOUT, connection.as_mut()).await.ok();
                    }
                    break;
                }
                () = shutdown_requested(&mut shutdown), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    /// Returns when the connection is to be closed.
    async fn expired(&self, activity: &ConnectionActivity) -> Expiry {
        loop {
            let idle = if self.is_crowded() {
                self.limits.crowded_idle_timeout.min(self.limits.idle_timeout)
            } else {
                self.limits.idle_timeout
            };
            let wait = match activity.expiry(idle, self.limits.header_timeout) {
                Some((at, expiry)) => match at.checked_duration_since(tokio::time::Instant::now()) {
                    Some(left) if !left.is_zero() => left.min(CHECK_INTERVAL),
                    _ => return expiry,
                },
                None => CHECK_INTERVAL,
            };
            tokio::time::sleep(wait).await;
        }
    }
}
