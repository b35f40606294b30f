//! Docket's HTTP contract: routes, conditional requests, idempotency, problem+json, OpenAPI 3.1.
//!
//! It holds no SQL and no business rule. It turns requests into what the desk is asked, and the desk's answers and
//! errors into HTTP.
//!
//! What other kinds of records are served with knows no ticket: [`Route`] and its [`Guard`], [`CommandRequest`] (body,
//! `If-Match`, `Idempotency-Key`, caller), [`Changed`] (`ETag`, `Docket-Position`, replay) and [`Problem`].
#![forbid(unsafe_code)]

mod admission;
mod app;
mod asyncapi;
mod endpoint;
mod event_types;
mod extract;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod handles;
mod limits;
mod middleware;
mod openapi;
mod problem;
mod rate;
mod redaction;
mod respond;
mod route;
mod router;
mod routes;
mod schema;
mod serve;
mod starting;
mod telemetry;
mod time;
mod validation;

pub use admission::LoadClass;
pub use app::{App, BODY_TIMEOUT, Config, REQUEST_TIMEOUT};
pub use extract::caller::Authenticated;
pub use extract::command::{CommandContext, CommandRequest};
pub use extract::path::PathId;
pub use guard::{Guard, GuardedCommand};
pub use http_server::ConnectionLimits;
pub use limits::{Limits, Rate};
pub use problem::{Code, Faults, FieldError, Problem};
pub use redaction::mask_keys;
pub use respond::{Changed, current};
pub use route::{CommandStyle, ResourceType, Route};
pub use router::router_of;
pub use routes::router;
pub use serve::serve;
pub use starting::serve_starting;

/// A route, as tests and tools see it.
#[derive(Clone, Debug)]
pub struct RouteInfo {
    /// The method.
    pub method: http::Method,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// Who may call it.
    pub guard: Guard,
    /// The record that the path's `{id}` names.
    pub resource: Option<ResourceType>,
    /// The `operationId` of the OpenAPI document.
    pub operation_id: &'static str,
}

/// Every documented route.
pub fn routes() -> Vec<RouteInfo> {
    let documented = routes::all().into_iter().filter(Route::is_documented);
    let info = |route: Route| RouteInfo {
        method: route.method,
        path: route.path,
        guard: route.guard,
        resource: route.resource,
        operation_id: route.operation.id,
    };
    documented.map(info).collect()
}

/// The OpenAPI document.
pub fn openapi() -> serde_json::Value {
    openapi::document(&routes::all())
}

/// The AsyncAPI document: what the relay publishes.
pub fn asyncapi() -> serde_json::Value {
    asyncapi::document()
}
