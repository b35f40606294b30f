//! Tells what the relay is doing: its status, its metrics, and a line in the log when that changes.

use eventstore::Position;
use tokio::sync::watch;

use crate::metrics::METRICS;
use crate::status::{Halt, State, Status};

#[derive(Debug)]
pub(crate) struct Reporter {
    status: watch::Sender<Status>,
}

impl Reporter {
    pub(crate) fn new() -> Self {
        METRICS.halted(None);
        Self { status: watch::Sender::new(Status { state: State::Connecting, position: None }) }
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

    /// The broker is known to hold everything up to a position.
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
            let news = status.state != state;
            if news {
                tell(&status.state, &state, position, reason);
            }
            let changed = news || status.position != position;
            *status = Status { state, position };
            changed
        });
    }
}

fn tell(before: &State, now: &State, position: Option<Position>, reason: &str) {
    let position = position.unwrap_or_default().0;
    match (before, now) {
        (_, State::Halted(halt)) => {
            METRICS.halted(Some(halt.fault));
            tracing::error!(
                fault = halt.fault.as_str(),
                detail = halt.detail,
                "the relay has halted: nothing is published"
            );
        }
        (State::Halted(_), _) => {
            METRICS.halted(None);
            tracing::info!(position, "the relay goes on: {}", now.as_str());
        }
        (_, State::Connecting) => tracing::warn!(reason, position, "events are not relayed now; nothing is lost"),
        (_, State::Standby) => tracing::info!(position, "the relay stands by: another one publishes"),
        _ => tracing::info!(position, "the relay is {}", now.as_str()),
    }
}
