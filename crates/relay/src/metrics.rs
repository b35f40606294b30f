//! OpenTelemetry metrics of the relay.

use std::sync::LazyLock;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge};

use crate::{HaltReason, State};

pub(crate) struct Metrics {
    pub(crate) position: Gauge<u64>,
    pub(crate) lag: Gauge<u64>,
    pub(crate) oldest: Gauge<f64>,
    pub(crate) published: Counter<u64>,
    pub(crate) resyncs: Counter<u64>,
    halted: Gauge<u64>,
    state: Gauge<u64>,
}

/// Created on first use, after the application has set its meter provider.
pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    let meter = opentelemetry::global::meter("relay");
    let counter = |name, description| {
        let counter = meter.u64_counter(name).with_description(description).build();
        counter.add(0, &[]);
        counter
    };
    Metrics {
        position: meter
            .u64_gauge("docket_relay_position")
            .with_description("Last position that the broker is known to hold")
            .build(),
        lag: meter
            .u64_gauge("docket_relay_lag_events")
            .with_description("Events in the log that the broker is not known to hold yet")
            .build(),
        oldest: meter
            .f64_gauge("docket_relay_oldest_unpublished")
            .with_unit("s")
            .with_description("Age of the oldest event that the broker is not known to hold yet; zero if there is none")
            .build(),
        published: counter("docket_relay_published", "Events that this process has published"),
        resyncs: counter("docket_relay_resyncs", "Checks of the stream before publishing, the first one included"),
        halted: meter
            .u64_gauge("docket_relay_halted")
            .with_description("1 for the reason why this relay has halted until an operator intervenes, otherwise 0")
            .build(),
        state: meter
            .u64_gauge("docket_relay_state")
            .with_description(
                "1 for the state of this relay (connecting, filling, live, standby or halted), otherwise 0",
            )
            .build(),
    }
});

impl Metrics {
    pub(crate) fn state(&self, now: &State) {
        for state in State::WORDS {
            self.state.record(u64::from(now.as_str() == state), &[KeyValue::new("state", state)]);
        }
    }

    pub(crate) fn halted(&self, by: Option<HaltReason>) {
        for fault in HaltReason::ALL {
            self.halted.record(u64::from(by == Some(fault)), &[KeyValue::new("reason", fault.as_str())]);
        }
    }
}
