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

use crate::leaving::{self, Door, Leaving};
use crate::pulse::{Answering, Due, Felt, Pulse};
use crate::{BoxError, ConnectionError, ConnectionLimits, Hooks, RequestBody, bare};

/// How often a connection is looked at.
const TICK: Duration = Duration::from_secs(5);
/// How long a connection that is asked to end may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// The most streams of one HTTP/2 connection.
const HTTP2_STREAMS: u32 = 128;
/// What a connection keeps of what it has read, and so the most that the header section of a request may be before it is
/// given up unread.
const BUFFER: u32 = 64 * 1024;

/// How HTTP/2 begins (RFC 9113, section 3.4), as far as no method of HTTP/1.1 does.
const PREFACE: &[u8] = b"PRI ";

async fn told(ending: &mut watch::Receiver<bool>) {
    // a sender that is gone ends it, too
    ending.wait_for(|ending| *ending).await.map(drop).ok();
}

pub(crate) struct Server<S, H> {
    service: S,
    hooks: Arc<H>,
    limits: ConnectionLimits,
    /// For clients that begin as HTTP/1.1 does.
    http1: Builder<TokioExecutor>,
    /// For those that may speak HTTP/2: it reads the first bytes once more, and keeps twice as much of what comes then.
    either: Builder<TokioExecutor>,
    door: Door,
    places: Arc<Semaphore>,
    /// The bytes of the response to a connection too many.
    full: Vec<u8>,
    warned: std::sync::Mutex<Option<Instant>>,
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
        let full = bare::encode(hooks.error_response(ConnectionError::TooManyConnections, local));
        let mut either = Builder::new(TokioExecutor::new());
        // a client that closes its half of the connection right after the request still had it sent in full: it is
        // carried out, and answered if the client can still read. Time is kept by the pulse: hyper's own limit on
        // headers would also end connections that only wait for their next request
        either
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .half_close(true)
            .max_buf_size(BUFFER as usize);
        either
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(Duration::from_secs(20)))
            .max_concurrent_streams(HTTP2_STREAMS)
            .max_header_list_size(BUFFER);
        Self {
            service,
            hooks: Arc::new(hooks),
            http1: either.clone().http1_only(),
            either,
            door: leaving::door(),
            places: Arc::new(Semaphore::new(limits.max)),
            limits,
            full,
            warned: std::sync::Mutex::default(),
        }
    }

    pub(crate) fn open(&self) -> usize {
        self.limits.max - self.places.available_permits()
    }

    /// Returns when the last connection has ended.
    pub(crate) async fn emptied(&self) {
        self.places.acquire_many(u32::try_from(self.limits.max).unwrap_or(u32::MAX)).await.ok();
    }

    fn is_crowded(&self) -> bool {
        self.places.available_permits() < self.limits.max / 4
    }

    pub(crate) fn take(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr, ended: &watch::Receiver<bool>) {
        match self.places.clone().try_acquire_owned() {
            Ok(place) => {
                stream.set_nodelay(true).ok();
                let at = stream.local_addr().ok();
                let stream = Leaving::new(stream, place, self.door.clone());
                tokio::spawn(self.clone().attend(stream, at, ended.clone()));
            }
            Err(_) => self.refuse(&stream, peer),
        }
    }

    /// Says so in the words of HTTP, as far as the socket takes them at once.
    fn refuse(&self, stream: &TcpStream, peer: SocketAddr) {
        self.hooks.connection_refused();
        stream.try_write(&self.full).ok();
        let mut warned = self.warned.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if warned.is_none_or(|at| at.elapsed() > TICK) {
            *warned = Some(Instant::now());
            tracing::warn!(%peer, "all {} places for connections are taken: new ones are refused", self.limits.max);
        }
    }

    /// Waits for what a client says first, and serves it to its end.
    async fn attend(self: Arc<Self>, mut stream: Leaving, at: Option<SocketAddr>, mut ended: watch::Receiver<bool>) {
        self.hooks.connection_opened();
        let pulse = Pulse::new();
        if let Some(builder) = self.spoken(&mut stream, &pulse, &mut ended).await {
            self.converse(builder, stream, at, pulse, ended).await;
        }
        self.hooks.connection_closed();
    }

    /// The builder for what the client speaks; none, if it says nothing.
    async fn spoken(
        &self,
        stream: &mut Leaving,
        pulse: &Pulse,
        ended: &mut watch::Receiver<bool>,
    ) -> Option<&Builder<TokioExecutor>> {
        let mut first = [0; PREFACE.len()];
        tokio::select! {
            biased;
            peeked = stream.peek(&mut first) => match peeked {
                Ok(0) | Err(_) => None,
                Ok(n) if PREFACE.starts_with(&first[..n]) => Some(&self.either),
                Ok(_) => Some(&self.http1),
            },
            due = self.due(pulse) => {
                tracing::debug!(?due, "a connection is ended");
                None
            }
            () = told(ended) => None,
        }
    }

    async fn converse(
        &self,
        builder: &Builder<TokioExecutor>,
        stream: Leaving,
        at: Option<SocketAddr>,
        pulse: Arc<Pulse>,
        mut ended: watch::Receiver<bool>,
    ) {
        let service = Answering { service: TowerToHyperService::new(self.service.clone()), pulse: pulse.clone() };
        let hooks = self.hooks.clone();
        let complete = move |status| bare::encode(hooks.error_response(ConnectionError::Unreadable(status), at));
        let stream = bare::Completed::new(stream, complete);
        let io = TokioIo::new(Felt { stream, pulse: pulse.clone() });
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
                due = self.due(&pulse) => {
                    tracing::debug!(?due, "a connection is ended");
                    if due == Due::Idle {
                        connection.as_mut().graceful_shutdown();
                        tokio::time::timeout(FAREWELL, connection.as_mut()).await.ok();
                    }
                    break;
                }
                () = told(&mut ended), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    /// Returns when a connection is to be ended.
    async fn due(&self, pulse: &Pulse) -> Due {
        loop {
            let idle = if self.is_crowded() {
                self.limits.crowded_idle_timeout.min(self.limits.idle_timeout)
            } else {
                self.limits.idle_timeout
            };
            let wait = match pulse.due(idle, self.limits.header_timeout) {
                Some((at, due)) => match at.checked_duration_since(tokio::time::Instant::now()) {
                    Some(left) if !left.is_zero() => left.min(TICK),
                    _ => return due,
                },
                None => TICK,
            };
            tokio::time::sleep(wait).await;
        }
    }
}
