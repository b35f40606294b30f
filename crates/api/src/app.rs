//! What all handlers share.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use desk::Desk;
use serde_json::Value;
use tokio::sync::watch;
use uuid::Uuid;

use crate::admission::Admission;
use crate::limits::Limits;
use crate::rate::RateLimit;

/// The longest time that a request may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest time that its body may take to arrive. The rest of the time is for the answer.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// What the API needs of its surroundings.
pub struct Config {
    /// The address by which clients know the server. Without it, the one that a request names is used.
    pub public_url: Option<String>,
    /// The `source` of CloudEvents, the same as the relay's: a URI that names the installation.
    pub source: String,
    /// Rate, permits, memory and connections.
    pub limits: Limits,
    /// The clock.
    pub now: fn() -> DateTime<Utc>,
    /// Makes ids: UUIDs of version 7.
    pub new_id: fn() -> Uuid,
    /// The text of `/metrics`.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// An object that `/health/readiness` adds about the process's other work. It makes no server unready.
    pub detail: Box<dyn Fn() -> Value + Send + Sync>,
    /// Normally [`REQUEST_TIMEOUT`].
    pub request_timeout: Duration,
    /// Normally [`BODY_TIMEOUT`].
    pub body_timeout: Duration,
    /// Serves health and metrics only: for a process that does other work than answering clients.
    pub operations_only: bool,
}

/// The application that the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What an [`App`] stands for.
pub struct Shared {
    pub(crate) desk: Desk,
    pub(crate) read_models: projections::Reader,
    pub(crate) config: Config,
    pub(crate) admission: Arc<Admission>,
    pub(crate) rate: Option<RateLimit>,
    draining: watch::Sender<bool>,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// The application over a desk and the read models.
    pub fn new(desk: Desk, read_models: projections::Reader, config: Config) -> Self {
        Self(Arc::new(Shared {
            desk,
            read_models,
            admission: Arc::new(Admission::new(&config.limits)),
            rate: config.limits.rate.and_then(RateLimit::new),
            config,
            draining: watch::Sender::new(false),
        }))
    }

    /// From now on `/health/readiness` answers 503, so that balancers send nobody here any more.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Returns when [`Self::drain`] is called.
    pub(crate) async fn drained(&self) {
        self.draining.subscribe().wait_for(|draining| *draining).await.expect("self holds the sender");
    }
}
