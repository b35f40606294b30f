//! Publishes the status of the relay: a watch channel, metrics, and a log line when the state changes.

use std::sync::atomic::{AtomicBool, Ordering};

use eventstore::Position;
use tokio::sync::watch;

use crate::metrics::METRICS;
use crate::status::{Halt, State, Status};

#[derive(Debug)]
pub(crate) struct Reporter {
    status: watch::Sender<Status>,
    /// Whether a state has been logged yet: the first one always is.
    logged: AtomicBool,
}

impl Reporter {
    pub(crate) fn new() -> Self {
        METRICS.halted(None);
        METRICS.state(&State::Connecting);
        Self {
            status: watch::Sender::new(Status { state: State::Connecting, position: None, reason: None }),
            logged: AtomicBool::new(false),
        }
    }

    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    pub(crate) fn state(&self) -> State {
        self.status.borrow().state.clone()
    }

    pub(crate) fn position(&self) -> Option<Position> {
        self.status.borrow().position
    }

    /// Reports that the broker holds everything up to a position.
    pub(crate) fn at(&self, state: State, position: i64) {
        METRICS.position.record(position.unsigned_abs(), &[]);
        self.change(state, Some(Position(position)), "");
    }

    pub(crate) fn connecting(&self, reason: &str) {
        self.change(State::Connecting, self.position(), reason);
    }

    pub(crate) fn halted(&self, halt: Halt) {
        self.change(State::Halted(halt), self.position(), "");
    }

    fn change(&self, state: State, position: Option<Position>, reason: &str) {
        self.status.send_if_modified(|status| {
            let changed_state = !self.logged.swap(true, Ordering::Relaxed) || status.state != state;
            if changed_state {
                METRICS.state(&state);
                log_change(&status.state, &state, position, reason);
            }
            let reason = (!reason.is_empty()).then(|| reason.to_owned());
            let new = Status { state, position, reason };
            let changed = changed_state || *status != new;
            *status = new;
            changed
        });
    }
}

fn log_change(before: &State, now: &State, position: Option<Position>, reason: &str) {
    let position = position.unwrap_or_default().0;
    let was_halted = matches!(before, State::Halted(_));
    if was_halted {
        METRICS.halted(None);
    }
    match now {
        State::Halted(halt) => {
            METRICS.halted(Some(halt.fault));
            let (fault, detail) = (halt.fault.as_str(), &halt.detail);
            tracing::error!(fault, detail, "the relay has halted: nothing is published until this is repaired");
        }
        State::Connecting => tracing::warn!(reason, position, "events are not relayed for now; nothing is lost"),
        State::Standby => tracing::info!(position, "the relay stands by: another one publishes"),
        now if was_halted => tracing::info!(position, "the relay continues: it is {}", now.as_str()),
        now => tracing::info!(position, "the relay is {}", now.as_str()),
    }
}
