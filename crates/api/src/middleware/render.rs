//! Errors as problem+json: those that a handler gave, bare statuses, panics, and what never came to a handler.

use std::any::Any;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use http_server::ConnectionError;

use crate::app::App;
use crate::problem::{Code, Problem, ProblemBody, of_status};
use crate::respond::Held;
use crate::telemetry::{self, RequestId};

/// Writes every error as problem+json: those that a handler gave, and bare statuses.
pub(super) async fn render<F: Future<Output = Response>>(
    app: &App,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let asked = Asked::of(&request);
    let id = request.extensions().get::<RequestId>().cloned();
    let response = answer(request).await;
    if !(response.status().is_client_error() || response.status().is_server_error()) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let problem: Problem = parts.extensions.remove().unwrap_or_else(|| of_status(parts.status));
    parts.headers.extend(problem.headers.iter().cloned());
    parts.status = problem.code.status();
    parts.headers.remove(header::CONTENT_LENGTH);
    let held = problem.held.clone();
    let problem = ProblemBody::new(problem, &app.base_url(&asked), id.as_ref().map(RequestId::as_str));
    let bytes = serde_json::to_vec(&problem).expect("a problem has string keys and no failing serializer");
    let body = Bytes::from_owner(Held { bytes, _memory: held });
    let mut response = (parts.status, parts.headers, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The response to a client whose request came to no handler.
pub(crate) fn of_connection(app: &App, error: ConnectionError, base: &str) -> http::Response<String> {
    let (problem, id) = match error {
        ConnectionError::TooManyConnections => {
            (Problem::new(Code::Overloaded, "Too many connections are open.").retry_after(1), None)
        }
        ConnectionError::Unreadable(status) => {
            let id = RequestId::new((app.config.new_id)());
            tracing::info!(status = status.as_u16(), request_id = id.as_str(), "a request could not be read");
            let problem = of_status(status);
            (problem.header(HeaderName::from_static(telemetry::REQUEST_ID), id.as_str()), Some(id))
        }
    };
    response(problem, base, id.as_ref())
}

/// A problem as the body of a response, with its status and the headers that belong to it.
pub(crate) fn response(problem: Problem, base: &str, id: Option<&RequestId>) -> http::Response<String> {
    let (status, headers) = (problem.code.status(), problem.headers.clone());
    let problem = ProblemBody::new(problem, base, id.map(RequestId::as_str));
    let json = serde_json::to_string(&problem).expect("a problem has string keys and no failing serializer");
    let mut response = http::Response::new(json);
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    response
}

/// A panic is answered with 500; its message goes to the log.
#[expect(clippy::needless_pass_by_value, reason = "a panic is handed over by value")]
pub(super) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("?"), "a handler panicked");
    Problem::new(Code::Internal, "Something went wrong on our side; the instance names this request.").into_response()
}

/// What a request says about the server's address. Cheap to keep, since most requests have no error that names it.
struct Asked {
    host: Option<HeaderValue>,
    authority: Option<Authority>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self { host: request.headers().get(header::HOST).cloned(), authority: request.uri().authority().cloned() }
    }
}

impl App {
    /// The address under which the client knows this server: the configured one, else what it asked for.
    fn base_url(&self, asked: &Asked) -> String {
        if let Some(url) = &self.config.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let host = asked.host.as_ref().and_then(|h| h.to_str().ok());
        let host = host.or_else(|| asked.authority.as_ref().map(Authority::as_str));
        // what is no host and port would make the problem's type something else than a URI
        let host = host.filter(|h| format!("http://{h}").parse::<Uri>().is_ok_and(|u| u.path() == "/"));
        format!("http://{}", host.unwrap_or("localhost"))
    }
}
