//! A process that still waits for its database: it is alive, not ready, and says why.

use std::io;
use std::net::SocketAddr;

use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::get;
use axum::{Json, Router};
use http_server::{ConnectionError, ConnectionLimits, Hooks};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::middleware;
use crate::problem::{Code, Problem};

/// How long clients are told to wait.
const RETRY_AFTER_SECONDS: u32 = 2;

/// Answers `/health/liveness` with 200 and every other request with 503 and the reason, until `shutdown` completes. `base_url` is
/// the server's own address, for links.
pub async fn serve_starting(
    listener: TcpListener,
    base_url: String,
    reason: watch::Receiver<String>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let hooks = StartingHooks { base_url, reason };
    let unready = {
        let hooks = hooks.clone();
        move || {
            let response = hooks.unready();
            async move { response }
        }
    };
    let liveness = || async { Json(json!({"status": "alive"})) };
    let routes =
        Router::new().route("/health/liveness", get(liveness)).route("/healthz", get(liveness)).fallback(unready);
    http_server::serve(listener, routes, hooks, ConnectionLimits::default(), shutdown).await
}

#[derive(Clone)]
struct StartingHooks {
    base_url: String,
    reason: watch::Receiver<String>,
}

impl StartingHooks {
    fn unready(&self) -> Response<String> {
        let problem = Problem::new(Code::Unavailable, self.reason.borrow().clone()).retry_after(RETRY_AFTER_SECONDS);
        let mut response = middleware::response(problem, &self.base_url, None);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // the server that takes over has other connections
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

impl Hooks for StartingHooks {
    fn error_response(&self, error: ConnectionError, _local: Option<SocketAddr>) -> Response<String> {
        let mut response = self.unready();
        if let ConnectionError::Unreadable(status) = error {
            response = Response::new(String::new());
            *response.status_mut() = StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::BAD_REQUEST);
        }
        response
    }
}
