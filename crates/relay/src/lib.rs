//! Publishes the log to NATS JetStream: every event once and in order, as `CloudEvents`.
//!
//! Positions are gapless, so **the stream's sequence is the position** (docs/adr/0020): each message expects the stream's
//! last sequence to be its position minus one. The broker itself then refuses a second relay, a zombie, a duplicate and a
//! gap, and its last sequence is the checkpoint. Nothing is stored in PostgreSQL.
//!
//! - A broker that has lost messages at the end, or its disk, is filled again from the log.
//! - A stream that does not belong to the log, is ahead of it, or lacks messages halts the relay ([`Halt`]); it checks
//!   again every few seconds, and continues once that is repaired.
//! - Any number of relays may run: one that sees another publish stands by.
//!
//! The relay knows no domain: payloads are relayed byte for byte. `docs/relay.md` describes the messages.
#![forbid(unsafe_code)]

mod audit;
mod backoff;
mod broker;
mod check;
mod config;
mod connection;
mod envelope;
mod failpoints;
mod feed;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod lag;
mod metrics;
mod reply;
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
pub use connection::connect;
pub use envelope::{CONTENT_TYPE, Message};
pub use status::{Halt, HaltReason, State, Status};

use reporter::Reporter;

/// Publishes the log to a JetStream stream.
#[derive(Debug)]
pub struct Relay {
    store: EventStore,
    config: Config,
    reporter: Reporter,
}

impl Relay {
    /// Creates a relay; [`Self::run`] starts it.
    pub fn new(store: EventStore, config: Config) -> Self {
        Self { store, config, reporter: Reporter::new() }
    }

    /// The current status, for readiness and tests.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.reporter.status()
    }

    /// Relays until `stop`, and retries after every fault of broker and database. It may be dropped at any moment: the
    /// broker's last sequence is the checkpoint.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = stop => {}
            () = work::relay_forever(&self.store, &self.config, &self.reporter) => {}
            () = lag::measure_forever(&self.store, &self.config, &self.reporter) => {}
        }
    }
}
