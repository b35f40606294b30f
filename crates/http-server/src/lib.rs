//! An HTTP server for a [`Service`]: HTTP/1.1 and HTTP/2 (h2c, prior knowledge) without TLS, with limits on connections and
//! on time, bodies for errors that no handler sees, and graceful shutdown.
//!
//! The application passes a service and [`Hooks`], which format errors and count connections.
#![forbid(unsafe_code)]

mod activity;
mod deferred_close;
mod error_body;
mod lingering;
mod server;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::{Body, Bytes};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_service::Service;

pub use lingering::Lingering as RequestBody;
use server::Server;

/// How much of a response may wait in the kernel before it is sent. A live stream that nobody reads would otherwise fill
/// megabytes there.
const UNSENT: u32 = 128 * 1024;

/// The pause after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The bounds of connections.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// How many connections may be open. One more is answered 503 and closed.
    pub max: usize,
    /// How long a connection may stay without a request.
    pub idle_timeout: Duration,
    /// How long it may stay without a request when three quarters of the connections are in use.
    pub crowded_idle_timeout: Duration,
    /// How long the header section of a request may take.
    pub header_timeout: Duration,
    /// How long requests in flight may take to finish after the shutdown has begun.
    pub drain_timeout: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max: 16_384,
            idle_timeout: Duration::from_secs(75),
            crowded_idle_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// Why the server itself answers, before any handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionError {
    /// [`ConnectionLimits::max`] connections are open.
    TooManyConnections,
    /// The request can't be parsed; hyper chose this status (400, 414, 431).
    Unreadable(StatusCode),
}

/// What the application adds.
pub trait Hooks: Send + Sync + 'static {
    /// The response to a client that no handler can answer. `local` is the address that it connected to. The connection is
    /// closed after it; the server adds `connection` and `content-length`.
    fn error_response(&self, error: ConnectionError, local: Option<SocketAddr>) -> Response<String>;

    /// A connection was accepted.
    fn connection_opened(&self) {}

    /// A connection that was accepted has ended.
    fn connection_closed(&self) {}

    /// A connection was refused: too many are open.
    fn connection_refused(&self) {}
}

/// Serves until `shutdown` completes; then takes no new connection, and lets the requests in flight finish.
pub async fn serve<S, B>(
    listener: TcpListener,
    service: S,
    hooks: impl Hooks,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    // its connections inherit it
    if let Err(error) = socket2::SockRef::from(&listener).set_tcp_notsent_lowat(UNSENT) {
        tracing::warn!(%error, "TCP_NOTSENT_LOWAT can't be set: what clients don't read is not bounded");
    }
    let drain_timeout = limits.drain_timeout;
    let server = Arc::new(Server::new(service, hooks, limits, listener.local_addr().ok()));
    let (begin_shutdown, shutdown_requested) = watch::channel(false);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => server.accept(stream, peer, &shutdown_requested),
                // out of file descriptors: others will be closed; anything else concerns that client only
                Err(error) => {
                    tracing::warn!(%error, "can't accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    begin_shutdown.send_replace(true);
    tracing::info!("no new connections; waiting for {} to close", server.open());
    if tokio::time::timeout(drain_timeout, server.drained()).await.is_err() {
        tracing::warn!("requests that took longer than {drain_timeout:?} to finish were cut off");
    }
    Ok(())
}
