//! Timers: commands that are due at a time (docs/adr/0039).
//!
//! Which timers there are is derived from the log by a read model ([`DueTimes`]): when each is due, and which version of
//! its stream set it. The leader reads those that are due, without locks, and issues a command for each. The command names
//! the version that set the timer, so that the rules refuse it when another timer, or none, is in force.
//!
//! - **On time**: the leader sleeps until the next due time, and never longer than a second.
//! - **Never twice**: the rules and a permanent receipt see to that, whoever leads. The leader itself does not issue a timer
//!   again before the model has passed the position of the answer.
//! - **No starving**: what is refused or fails is held back for a time that doubles, up to four hours, while all others go
//!   on. What nobody is to blame for (the database is away) holds back everything for seconds, and nothing for longer.
//!
//! Nothing here knows what a timer does.

mod leader;
mod metrics;

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};
use eventstore::{EventStore, Position, StoreError, StreamId, StreamType, Version};
use tokio::sync::watch;

use crate::subscription;
use leader::{Leader, Leading};

/// A command that is due at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// The stream that the command is for.
    pub stream: StreamId,
    /// The type of that stream.
    pub stream_type: StreamType,
    /// The version that set the timer.
    pub set_by: Version,
    /// Which command it is.
    pub kind: String,
    /// How often it was refused or failed.
    pub attempts: u32,
}

impl Timer {
    /// An idempotency key: the same for each attempt, and for no other timer.
    pub fn key(&self) -> String {
        format!("{}:{}:{}", self.kind, self.stream, self.set_by)
    }
}

/// The outcome of a command that a timer issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was executed, now or at an earlier attempt.
    Fired {
        /// The position of its last event.
        position: Position,
    },
    /// Another timer is in force by now, or none.
    Superseded {
        /// The position of the stream's last event when that was found.
        position: Position,
    },
    /// The rules refuse it although it is in force.
    Refused {
        /// Why.
        reason: String,
    },
    /// It could not be tried to the end, and the next attempt may fail as well.
    Failed {
        /// Why.
        reason: String,
    },
    /// The database is away or overloaded: the timer is not to blame.
    Unavailable {
        /// What it said.
        reason: String,
    },
}

/// The timers that are due, and how far the model had read the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueTimers {
    /// The earliest first.
    pub timers: Vec<Timer>,
    /// The position up to which the model had read the log.
    pub position: Position,
    /// How long until the next one is due.
    pub next_in: Option<Duration>,
}

/// Timers that wait for something else than their time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Backlog {
    /// Held back after they were refused or failed.
    pub held_back: u64,
    /// Due and not held back.
    pub overdue: u64,
    /// How long ago the earliest of those was due.
    pub lateness: Duration,
}

/// The read model of due times, and the table of what is held back.
///
/// Whether a timer is due, and how long something is held back, goes by one clock for all processes: the database's.
pub trait DueTimes: Send + Sync + 'static {
    /// The timers that are due and not held back, in one snapshot with the model's position.
    fn due(&self, limit: usize) -> impl Future<Output = Result<DueTimers, StoreError>> + Send;

    /// Holds a timer back.
    fn hold_back(
        &self,
        timer: &Timer,
        outcome: &'static str,
        reason: &str,
        pause: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A timer that was held back is settled.
    fn release(&self, timer: &Timer) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Forgets what is held back of timers that the model has no more.
    fn remove_stale(&self) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What waits.
    fn backlog(&self) -> impl Future<Output = Result<Backlog, StoreError>> + Send;
}

/// What a process knows of the timers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Status {
    /// Whether this process leads. Only then the rest is known.
    pub leads: bool,
    /// What waits.
    pub backlog: Backlog,
}

/// The timers of a process. Of several processes one leads.
#[derive(Debug)]
pub struct Timers<D> {
    store: EventStore,
    due_times: D,
    status: watch::Sender<Status>,
}

impl<D: DueTimes + Clone> Timers<D> {
    /// Over a log, and the model that is derived from it.
    pub fn new(store: EventStore, due_times: D) -> Self {
        Self { store, due_times, status: watch::Sender::default() }
    }

    /// The current status, for readiness and tests.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Issues commands until `stop`. May be stopped or killed at any moment.
    pub async fn run<F, Fut>(self, fire: F, stop: impl Future<Output = ()>)
    where
        F: Fn(Timer) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let Self { store, due_times, status } = self;
        let job = |lead, backoff| {
            let (due_times, fire, status) = (due_times.clone(), fire.clone(), status.clone());
            async move {
                let _leading = Leading::begin(&status);
                Leader::new(lead, due_times, fire, &status).work(&backoff).await
            }
        };
        tokio::select! {
            () = subscription::lead(&store, "timers", job) => {}
            () = stop => {}
        }
    }
}
