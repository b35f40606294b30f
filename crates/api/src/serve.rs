//! The application on a socket.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::http::{HeaderValue, Response, header};
use http_server::{ConnectionError, Hooks};
use opentelemetry::global;
use opentelemetry::metrics::{Counter, UpDownCounter};
use tokio::net::TcpListener;

use crate::app::App;
use crate::middleware;
use crate::routes::router;

/// How often the rate limit forgets keys whose buckets are full.
const TIDY_EVERY: Duration = Duration::from_mins(1);

/// Serves until `shutdown` completes; then `/health/readiness` says no, and the requests in flight finish.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let limits = app.config.limits.connections.clone();
    let shutdown = async {
        shutdown.await;
        app.drain();
    };
    let served = http_server::serve(listener, router(&app), ServerHooks::new(app.clone()), limits, shutdown);
    tokio::select! {
        served = served => served,
        () = tidy(&app) => Ok(()),
    }
}

async fn tidy(app: &App) {
    let Some(rate) = &app.rate else { return std::future::pending().await };
    let mut interval = tokio::time::interval(TIDY_EVERY);
    loop {
        interval.tick().await;
        rate.tidy();
    }
}

/// Errors of the sockets as problem+json, and their metrics.
struct ServerHooks {
    app: App,
    open: UpDownCounter<i64>,
    refused: Counter<u64>,
}

impl ServerHooks {
    fn new(app: App) -> Self {
        let meter = global::meter("docket");
        Self {
            app,
            open: meter
                .i64_up_down_counter("docket_connections")
                .with_description("open connections of clients")
                .build(),
            refused: meter
                .u64_counter("docket_connections_refused")
                .with_description("connections refused because too many were open")
                .build(),
        }
    }
}

impl Hooks for ServerHooks {
    fn error_response(&self, error: ConnectionError, local: Option<SocketAddr>) -> Response<String> {
        let base = self.app.config.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
        let base = base.unwrap_or_else(|| local.map_or("http://localhost".to_owned(), |at| format!("http://{at}")));
        let mut response = middleware::of_connection(&self.app, error, &base);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }

    fn connection_opened(&self) {
        self.open.add(1, &[]);
    }

    fn connection_closed(&self) {
        self.open.add(-1, &[]);
    }

    fn connection_refused(&self) {
        self.refused.add(1, &[]);
    }
}
