//! OpenTelemetry metrics of the timers, from the process that leads.

use std::sync::LazyLock;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge};

use super::{Backlog, Outcome};

pub(super) struct Metrics {
    answered: Counter<u64>,
    held_back: Gauge<u64>,
    overdue: Gauge<u64>,
    lateness: Gauge<f64>,
}

/// Created on first use, after the application has set its meter provider.
pub(super) static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    let meter = opentelemetry::global::meter("eventsourcing");
    let gauge = |name, description| meter.u64_gauge(name).with_description(description).build();
    Metrics {
        answered: meter
            .u64_counter("docket_timers_issued")
            .with_description("Commands that timers of this process have issued, by kind and outcome")
            .build(),
        held_back: gauge("docket_timers_held_back", "Timers held back because their command was refused or failed"),
        overdue: gauge("docket_timers_overdue", "Timers that are due, not held back, and not settled"),
        lateness: meter
            // the exporter appends the unit
            .f64_gauge("docket_timers_lateness")
            .with_unit("s")
            .with_description("How long ago the earliest of the overdue timers was due")
            .build(),
    }
});

impl Metrics {
    pub(super) fn answered(&self, kind: &str, outcome: &Outcome) {
        let outcome = match outcome {
            Outcome::Fired { .. } => "fired",
            Outcome::Superseded { .. } => "superseded",
            Outcome::Refused { .. } => "refused",
            Outcome::Failed { .. } => "failed",
            Outcome::Unavailable { .. } => "unavailable",
        };
        self.answered.add(1, &[KeyValue::new("kind", kind.to_owned()), KeyValue::new("outcome", outcome)]);
    }

    pub(super) fn record(&self, backlog: &Backlog) {
        self.held_back.record(backlog.held_back, &[]);
        self.overdue.record(backlog.overdue, &[]);
        self.lateness.record(backlog.lateness.as_secs_f64(), &[]);
    }
}
