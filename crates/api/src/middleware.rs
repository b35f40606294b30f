//! The middleware around every request: telemetry, errors as problem+json, limits on the request's head, the time-out,
//! panics, security headers. It is one layer, because a router boxes and clones each of its layers for each request.

mod head;
mod host;
mod render;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tracing::Instrument;

pub(crate) use self::render::{of_connection, response};
use crate::app::App;
use crate::telemetry;

pub(crate) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let answer = |request| render::render(&app, request, |request| in_time(&app, request, next));
    let mut response = telemetry::observed(&app, request, answer).await;
    harden(&mut response);
    response
}

async fn in_time(app: &App, request: Request, next: Next) -> Response {
    if let Err(problem) = head::check(&request).and_then(|()| host::check(&request)) {
        return problem.into_response();
    }
    let answer = tokio::time::timeout(app.config.request_timeout, to_completion(request, next)).await;
    answer.unwrap_or_else(|_| StatusCode::GATEWAY_TIMEOUT.into_response())
}

async fn to_completion(request: Request, next: Next) -> Response {
    let is_safe = request.method().is_safe();
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answer = if is_safe { answer.await } else { DetachOnDrop(Some(answer.boxed())).await };
    answer.unwrap_or_else(render::panicked)
}

/// Runs a command to completion, also when its client hangs up: a future that is dropped goes on in a task of its own. A
/// handler that is cancelled could leave a transaction open behind it.
struct DetachOnDrop<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> Future for DetachOnDrop<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(rest) = &mut self.0 else { return Poll::Pending };
        let done = ready!(rest.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(done)
    }
}

impl<T: Send + 'static> Drop for DetachOnDrop<T> {
    fn drop(&mut self) {
        // without a runtime the server has ended
        if let (Some(rest), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(rest.in_current_span());
        }
    }
}

fn harden(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers
        .entry(HeaderName::from_static("content-security-policy"))
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
}
