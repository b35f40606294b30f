//! What the projections tell of themselves, as OpenTelemetry metrics.

use std::sync::LazyLock;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge};

use crate::status::Status;

pub(crate) struct Metrics {
    position: Gauge<u64>,
    lag_events: Gauge<u64>,
    lag_seconds: Gauge<f64>,
    parked_streams: Gauge<u64>,
    applied: Counter<u64>,
}

/// Made at the first use: the application sets its meter provider before that.
pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    let meter = opentelemetry::global::meter("projections");
    let gauge = |name, what| meter.u64_gauge(name).with_description(what).build();
    Metrics {
        position: gauge("docket_projection_position", "the position up to which a projection has read the log"),
        lag_events: gauge("docket_projection_lag_events", "events of the log that a projection has not read"),
        lag_seconds: meter
            .f64_gauge("docket_projection_lag_seconds")
            .with_unit("s")
            .with_description("age of the oldest event that a projection has not read")
            .build(),
        parked_streams: gauge(
            "docket_projection_parked_streams",
            "streams that a projection passes over after a fault",
        ),
        applied: meter
            .u64_counter("docket_projection_events_applied")
            .with_description("events that a projection of this process has dealt with")
            .build(),
    }
});

impl Metrics {
    pub(crate) fn record(&self, status: &Status) {
        let of = [KeyValue::new("projection", status.name.clone())];
        self.position.record(status.position.0.unsigned_abs(), &of);
        self.lag_events.record(status.lag_events.unsigned_abs(), &of);
        self.lag_seconds.record(status.lag_seconds, &of);
        self.parked_streams.record(status.parked_streams.unsigned_abs(), &of);
    }

    pub(crate) fn applied(&self, projection: &'static str, events: usize) {
        self.applied.add(events as u64, &[KeyValue::new("projection", projection)]);
    }
}
