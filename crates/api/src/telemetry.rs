//! Each request's id, span and measurements.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;
use opentelemetry::metrics::{Histogram, UpDownCounter};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue, global};
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

use crate::app::App;
use crate::redaction::mask_keys;

pub(crate) const REQUEST_ID: &str = "x-request-id";
const LONGEST_ID: usize = 128;

/// The id of a request: the caller's, if it can be used, else a new one.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    pub(crate) fn new(id: Uuid) -> Self {
        Self(id.to_string().into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The trace that a request belongs to (W3C Trace Context), which the events that it records carry on.
#[derive(Clone, Debug)]
pub(crate) struct Trace(Context);

impl Trace {
    /// Where spans are collected, the request's own. Where they are not, nobody would ever find that one: the caller's
    /// is handed on as it came, and who came without gets a trace that joins log lines and events.
    fn of(span: &Span, headers: &HeaderMap, new_id: fn() -> Uuid) -> Self {
        let caller = global::get_text_map_propagator(|p| p.extract(&Headers(headers)));
        span.set_parent(caller.clone()).ok();
        let collected = span.context();
        let is_there = |context: &Context| context.span().span_context().is_valid();
        Self([collected, caller].into_iter().find(is_there).unwrap_or_else(|| Self::anew(new_id)))
    }

    /// A trace of which nothing is recorded. Ids of version 7 end in the random bytes that both of its ids need.
    fn anew(new_id: fn() -> Uuid) -> Context {
        let trace = TraceId::from_bytes(new_id().into_bytes());
        let span = SpanId::from_bytes(new_id().as_u64_pair().1.to_be_bytes());
        let context = SpanContext::new(trace, span, TraceFlags::NOT_SAMPLED, false, TraceState::NONE);
        Context::new().with_remote_span_context(context)
    }

    fn id(&self) -> TraceId {
        self.0.span().span_context().trace_id()
    }

    /// As a header, and as it is kept with events.
    pub(crate) fn parent(&self) -> Option<String> {
        let mut carrier = Carrier(None);
        global::get_text_map_propagator(|p| p.inject_context(&self.0, &mut carrier));
        carrier.0
    }
}

struct Metrics {
    duration: Histogram<f64>,
    active: UpDownCounter<i64>,
}

/// Names and units after the OpenTelemetry semantic conventions for HTTP servers.
static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    let meter = global::meter("docket");
    Metrics {
        duration: meter
            .f64_histogram("http.server.request.duration")
            .with_unit("s")
            .with_description("Duration of HTTP server requests.")
            .with_boundaries(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
            .build(),
        active: meter
            .i64_up_down_counter("http.server.active_requests")
            .with_unit("{request}")
            .with_description("Number of active HTTP server requests.")
            .build(),
    }
});

/// A request under way, until it is answered or its client has hung up.
struct Active;

impl Active {
    fn begin() -> Self {
        METRICS.active.add(1, &[]);
        Self
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        METRICS.active.add(-1, &[]);
    }
}

/// Everything about a request happens in its span.
pub(crate) async fn observed<F: Future<Output = Response>>(
    app: &App,
    mut request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let id =
        request_id(request.headers()).map_or_else(|| RequestId::new((app.config.new_id)()), |id| RequestId(id.into()));
    let method = method_name(request.method());
    let span = tracing::info_span!(
        "request",
        otel.name = field::Empty,
        otel.kind = "server",
        http.request.method = method,
        url.path = &*mask_keys(request.uri().path()),
        http.route = field::Empty,
        http.response.status_code = field::Empty,
        request_id = id.as_str(),
        trace_id = field::Empty,
        caller = field::Empty,
    );
    let trace = Trace::of(&span, request.headers(), app.config.new_id);
    span.record("trace_id", field::display(trace.id()));

    // the router has matched before its layers run
    let path = request.extensions().get().map_or("", MatchedPath::as_str).to_owned();
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(trace);
    let started = Instant::now();
    let active = Active::begin();
    let mut response = answer(request).instrument(span.clone()).await;
    drop(active);

    let status = response.status().as_u16();
    if !span.is_disabled() {
        span.record("otel.name", format!("{method} {path}"));
        span.record("http.route", path.as_str());
        span.record("http.response.status_code", status);
    }
    let elapsed = started.elapsed();
    METRICS.duration.record(
        elapsed.as_secs_f64(),
        &[
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.route", path),
            KeyValue::new("http.response.status_code", i64::from(status)),
        ],
    );
    span.in_scope(|| {
        tracing::info!(status, micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX), "answered");
    });
    if let Ok(value) = HeaderValue::try_from(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The method of a request, for metrics and logs. Clients can't make new values (OpenTelemetry's convention).
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "CONNECT" => "CONNECT",
        "TRACE" => "TRACE",
        _ => "_OTHER",
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    // a key would be logged, and recorded with events
    let is_key = |id| mask_keys(id) != id;
    let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    ((1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(sound) && !is_key(id)).then(|| id.to_owned())
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct Carrier(Option<String>);

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        if key == "traceparent" {
            self.0 = Some(value);
        }
    }
}
