//! The log on NATS JetStream: every event once and in order, as `CloudEvents`.
//!
//! Positions are gapless, so **the stream's sequence is the position** (docs/adr/0020): each message demands that
//! the stream's last sequence be its position minus one. The broker itself then refuses a second relay, a zombie, a
//! repetition and a skip, and what it holds is the place to go on from. Nothing is noted in PostgreSQL.
//!
//! - A broker that lost its tail, or its disk, is filled again from the log.
//! - A stream that does not belong to the log, is ahead of it or has a hole stops the relay with an alarm
//!   ([`Halt`]); it looks again every few seconds and goes on by itself once that is mended.
//! - Any number of relays may run: one that sees another one advance stands by.
//!
//! It knows no domain: payloads are relayed byte for byte. `docs/relay.md` describes what subscribers get.
#![forbid(unsafe_code)]

mod answer;
mod audit;
mod backoff;
mod broker;
mod check;
mod config;
mod envelope;
mod failpoints;
mod feed;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod link;
mod metrics;
mod observe;
mod reporter;
mod session;
mod standby;
mod status;
mod work;

use std::future::Future;

use eventstore::EventStore;
use tokio::sync::watch;

pub use audit::{AuditError, AuditReport, Finding, audit};
pub use config::{Config, MAX_MESSAGE_BYTES};
pub use envelope::{CONTENT_TYPE, Message};
pub use link::connect;
pub use status::{Halt, HaltReason, State, Status};

use reporter::Reporter;

/// Carries the log to a JetStream stream.
#[derive(Debug)]
pub struct Relay {
    store: EventStore,
    config: Config,
    reporter: Reporter,
}

impl Relay {
    /// A relay that has not begun; [`Self::run`] sets it going.
    pub fn new(store: EventStore, config: Config) -> Self {
        Self { store, config, reporter: Reporter::new() }
    }

    /// What it is doing, always up to date; for readiness and tests.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.reporter.status()
    }

    /// Relays until told to stop, over every fault of the broker and of the database. Stopping needs no farewell: what
    /// the broker holds is the place to go on from.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = stop => {}
            () = work::forever(&self.store, &self.config, &self.reporter) => {}
            () = observe::forever(&self.store, &self.config, &self.reporter) => {}
        }
    }
}
