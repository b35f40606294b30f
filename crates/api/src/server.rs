//! The sockets: HTTP/1.1 and HTTP/2, a bound on connections, limits on the time that they may take, an orderly end.

mod bare;
mod leaving;
mod lingering;
mod pulse;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use opentelemetry::global;
use opentelemetry::metrics::{Counter, UpDownCounter};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::App;
use crate::rate::RateLimit;
use leaving::{Door, Leaving};
use pulse::{Answering, Due, Felt, Pulse};

/// How long requests under way may take to end when the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an idle connection may stay when three quarters of the places are taken.
const CROWDED: Duration = Duration::from_secs(5);
/// How often a connection is looked at.
const TICK: Duration = Duration::from_secs(5);
/// How long a connection that is asked to end may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often buckets that are full are forgotten.
const TIDY_EVERY: Duration = Duration::from_mins(1);
/// The most streams of one HTTP/2 connection.
const HTTP2_STREAMS: u32 = 128;
/// What a connection keeps of what it has read, and so the most that the header lines of a request may be before they
/// are given up unread. What is smaller and still too large is refused by a layer (`crate::sizes`).
const BUFFER: u32 = 64 * 1024;

/// How HTTP/2 begins (RFC 9113, section 3.4), as far as no method of HTTP/1.1 does.
const PREFACE: &[u8] = b"PRI ";

/// How much of what is answered may wait in the kernel without being on its way. A live stream that nobody reads would
/// fill megabytes there (docs/adr/0028).
const UNSENT: u32 = 128 * 1024;

/// Serves until `stop`; then says that it is not ready, takes no new connection, and lets the requests
/// that are under way come to their end.
pub async fn serve(listener: TcpListener, app: App, stop: impl Future<Output = ()>) -> io::Result<()> {
    // its connections have it from it
    if let Err(error) = socket2::SockRef::from(&listener).set_tcp_notsent_lowat(UNSENT) {
        tracing::warn!(%error, "what clients don't read can't be bounded (TCP_NOTSENT_LOWAT)");
    }
    let server = Arc::new(Server::new(&app));
    let (ending, ended) = watch::channel(false);
    let mut tidy = tokio::time::interval(TIDY_EVERY);
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => server.take(stream, peer, &ended),
                // out of file descriptors: others will be closed; anything else concerns that client only
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            _ = tidy.tick() => app.rate.iter().for_each(RateLimit::tidy),
            () = &mut stop => break,
        }
    }
    app.drain();
    drop(listener);
    ending.send_replace(true);
    tracing::info!("no new connections; waiting for {} to end", server.open());
    if tokio::time::timeout(DRAIN_TIMEOUT, server.emptied()).await.is_err() {
        tracing::warn!("requests that took longer than {DRAIN_TIMEOUT:?} to end were cut off");
    }
    Ok(())
}

async fn told(ending: &mut watch::Receiver<bool>) {
    // a sender that is gone ends it, too
    ending.wait_for(|ending| *ending).await.map(drop).ok();
}

struct Server {
    app: App,
    service: axum::Router,
    /// For clients that begin as HTTP/1.1 does.
    http1: Builder<TokioExecutor>,
    /// For those that may speak HTTP/2: it reads the first bytes once more, and keeps twice as much of what comes then.
    either: Builder<TokioExecutor>,
    door: Door,
    places: Arc<Semaphore>,
    most: usize,
    keep_alive: Duration,
    /// What who finds no place is told.
    full: String,
    warned: std::sync::Mutex<Option<Instant>>,
    connections: UpDownCounter<i64>,
    refused: Counter<u64>,
}

impl Server {
    fn new(app: &App) -> Self {
        let limits = &app.config.limits;
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
        let meter = global::meter("docket");
        let most = limits.connections.clamp(1, u32::MAX as usize);
        Self {
            app: app.clone(),
            service: app.router(),
            http1: either.clone().http1_only(),
            either,
            door: leaving::door(),
            places: Arc::new(Semaphore::new(most)),
            most,
            keep_alive: limits.keep_alive,
            full: crate::problem::no_place(app),
            warned: std::sync::Mutex::default(),
            connections: meter
                .i64_up_down_counter("docket_connections")
                .with_description("open connections of clients")
                .build(),
            refused: meter
                .u64_counter("docket_connections_refused")
                .with_description("connections refused because all places were taken")
                .build(),
        }
    }

    fn open(&self) -> usize {
        self.most - self.places.available_permits()
    }

    /// Returns when the last connection has ended.
    async fn emptied(&self) {
        self.places.acquire_many(u32::try_from(self.most).unwrap_or(u32::MAX)).await.ok();
    }

    fn is_crowded(&self) -> bool {
        self.places.available_permits() < self.most / 4
    }

    fn take(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr, ended: &watch::Receiver<bool>) {
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
        self.refused.add(1, &[]);
        stream.try_write(self.full.as_bytes()).ok();
        let mut warned = self.warned.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if warned.is_none_or(|at| at.elapsed() > TICK) {
            *warned = Some(Instant::now());
            tracing::warn!(%peer, "all {} places for connections are taken: new ones are refused", self.most);
        }
    }

    /// Waits for what a client says first, and serves it to its end.
    async fn attend(self: Arc<Self>, mut stream: Leaving, at: Option<SocketAddr>, mut ended: watch::Receiver<bool>) {
        self.connections.add(1, &[]);
        let pulse = Pulse::new();
        if let Some(builder) = self.spoken(&mut stream, &pulse, &mut ended).await {
            self.converse(builder, stream, at, pulse, ended).await;
        }
        self.connections.add(-1, &[]);
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
        let app = self.app.clone();
        let stream = bare::Completed::new(stream, move |status| app.unreadable(status, at));
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
            let idle = if self.is_crowded() { CROWDED.min(self.keep_alive) } else { self.keep_alive };
            let wait = match pulse.due(idle) {
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
