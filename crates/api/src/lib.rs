//! Docket's HTTP contract: routes, conditional requests, idempotency, problem+json, OpenAPI 3.1.
//!
//! It holds no SQL and no rule of a ticket: it turns requests into what the desk is asked, and the
//! desk's answers and errors into HTTP.
#![forbid(unsafe_code)]

mod admission;
mod around;
mod asyncapi;
mod authenticate;
mod body;
mod conditional;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod host;
mod idempotency;
mod json;
mod limits;
mod openapi;
mod problem;
mod query;
mod rate;
mod redaction;
mod route;
mod router;
mod routes;
mod serve;
mod sizes;
mod starting;
mod telemetry;
mod validation;
mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use chrono::{DateTime, Utc};
use desk::Desk;
use tokio::sync::watch;
use uuid::Uuid;

pub use admission::LoadClass;
pub use guard::{Guard, GuardedCommand};
pub use http_server::ConnectionLimits;
pub use limits::{Limits, Rate};
pub use problem::Code;
pub use redaction::mask_keys;
pub use route::Route;
pub use serve::serve;
pub use starting::serve_starting;

/// How long a request may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long its body may take to come: the rest of the time is for the answer.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// What the API needs of its surroundings.
pub struct Config {
    /// The address by which clients know the server, where it can't be seen from their requests.
    pub public_url: Option<String>,
    /// The `source` of CloudEvents, the same as the relay's: a URI that names the installation.
    pub source: String,
    /// How much it takes on.
    pub limits: Limits,
    /// The clock.
    pub now: fn() -> DateTime<Utc>,
    /// New ids.
    pub new_id: fn() -> Uuid,
    /// The text of `/metrics`.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// What `/health/readiness` tells of the process's other work: an object. None of it makes the server unready.
    pub detail: Box<dyn Fn() -> serde_json::Value + Send + Sync>,
    /// How long a request may take: [`REQUEST_TIMEOUT`].
    pub request_timeout: Duration,
    /// How long the body of a request may take to come: [`BODY_TIMEOUT`].
    pub body_timeout: Duration,
    /// Whether only operators are answered: a process that has other work than answering clients.
    pub operations_only: bool,
}

/// The application that the handlers share. Cheap to clone: each layer does, for each request.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What they share: what an [`App`] stands for.
pub struct Shared {
    desk: Desk,
    read_models: projections::Reader,
    config: Config,
    validators: validation::Validators,
    admission: Arc<admission::Admission>,
    rate: Option<rate::RateLimit>,
    draining: watch::Sender<bool>,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// A route, as tests and tools see it.
#[derive(Clone, Debug)]
pub struct RouteInfo {
    /// Its method.
    pub method: http::Method,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// Who may call it.
    pub guard: Guard,
    /// Its `operationId`.
    pub operation_id: &'static str,
}

/// Every route there is, but for second names.
pub fn routes() -> Vec<RouteInfo> {
    routes::all().iter().filter(|route| route.documented).map(Route::info).collect()
}

/// The OpenAPI document.
pub fn openapi() -> serde_json::Value {
    openapi::document(&routes::all())
}

/// The AsyncAPI document: what the relay publishes.
pub fn asyncapi() -> serde_json::Value {
    asyncapi::document()
}

impl App {
    /// The application over a desk and the read models.
    pub fn new(desk: Desk, read_models: projections::Reader, config: Config) -> Self {
        let validators = validation::Validators::compile(&openapi());
        Self(Arc::new(Shared {
            desk,
            read_models,
            admission: Arc::new(admission::Admission::new(&config.limits)),
            rate: config.limits.rate.and_then(rate::RateLimit::new),
            config,
            validators,
            draining: watch::Sender::new(false),
        }))
    }

    /// From now on `/health/readiness` says no, so that balancers send nobody here any more.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// Returns when [`Self::drain`] is called.
    pub(crate) async fn drained(&self) {
        // `self` holds a sender: it can't be gone
        self.draining.subscribe().wait_for(|draining| *draining).await.ok();
    }

    /// The whole as a service.
    pub fn router(&self) -> Router {
        self.router_of(if self.config.operations_only { routes::health::routes() } else { routes::all() })
    }

    /// A service of these routes, with the checks and the error handling of the whole.
    pub fn router_of(&self, routes: Vec<Route>) -> Router {
        router::router(self, routes)
    }
}
