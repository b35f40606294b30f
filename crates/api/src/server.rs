//! The sockets: HTTP/1.1 and HTTP/2, a limit on the time that headers may take, an orderly end.

mod bare;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::App;

type Request = http::Request<Incoming>;

/// What a connection keeps of what it has read, and so the most that the header lines of a request may be before they
/// are given up unread. What is smaller and still too large is refused by a layer (`crate::sizes`).
const BUFFER: usize = 64 * 1024;
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests under way may take to end when the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves until `stop`; then says that it is not ready, takes no new connection, and lets the requests
/// that are under way come to their end.
pub async fn serve(listener: TcpListener, app: App, stop: impl Future<Output = ()>) -> io::Result<()> {
    let service = TowerToHyperService::new(app.router());
    let mut builder = Builder::new(TokioExecutor::new());
    // a client that closes its half of the connection right after the request still had it sent in full: it is
    // carried out, and answered if the client can still read
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        .half_close(true)
        .max_buf_size(BUFFER);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(Duration::from_secs(20)));
    builder.http2().max_header_list_size(u32::try_from(BUFFER).unwrap_or(u32::MAX));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // out of file descriptors: others will be closed; anything else concerns that client only
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        stream.set_nodelay(true).ok();
        let (asked, at) = (app.clone(), stream.local_addr().ok());
        let stream = bare::Completed::new(stream, move |status| asked.unreadable(status, at));
        let first = Arc::new(AtomicBool::new(false));
        let service = Noticing { service: service.clone(), first: first.clone() };
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(error, "a connection ended early");
                },
                () = silence(&first) => tracing::debug!("a connection was cut off: it brought no request in time"),
            }
        });
    }
    app.drain();
    drop(listener);
    tracing::info!("no new connections; waiting for {} to end", graceful.count());
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests that took longer than {DRAIN_TIMEOUT:?} to end were cut off");
    }
    Ok(())
}

/// The service of one connection, which notices when the first request has come.
struct Noticing<S> {
    service: S,
    first: Arc<AtomicBool>,
}

impl<S: Service<Request>> Service<Request> for Noticing<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, request: Request) -> Self::Future {
        self.first.store(true, Ordering::Relaxed);
        self.service.call(request)
    }
}

/// Comes if the first request has not come in time. The header time-out begins only once it is known
/// which version of HTTP the client speaks: who says nothing at all would stay for ever.
async fn silence(first: &AtomicBool) {
    tokio::time::sleep(HEADER_READ_TIMEOUT).await;
    if first.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}
