//! OpenTelemetry metrics of the projections.

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

/// Created on first use, after the application has set its meter provider.
pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    let meter = opentelemetry::global::meter("projections");
    let gauge = |name, description| meter.u64_gauge(name).with_description(description).build();
    Metrics {
        position: gauge("docket_projection_position", "Position up to which a read model has read the log"),
        lag_events: gauge("docket_projection_lag_events", "Events in the log that a read model has not read yet"),
        lag_seconds: meter
            .f64_gauge("docket_projection_lag_seconds")
            .with_unit("s")
            .with_description("Age of the oldest event that a read model has not read yet")
            .build(),
        parked_streams: gauge(
            "docket_projection_parked_streams",
            "Streams that a read model passes over because an event could not be applied",
        ),
        applied: meter
            .u64_counter("docket_projection_events_applied")
            .with_description("Events that the projectors of this process have read, including passed-over ones")
            .build(),
    }
});

impl Metrics {
    pub(crate) fn record(&self, status: &Status) {
        let attributes = [KeyValue::new("projection", status.name.clone())];
        self.position.record(status.position.0.unsigned_abs(), &attributes);
        self.lag_events.record(status.lag_events.unsigned_abs(), &attributes);
        self.lag_seconds.record(status.lag_seconds, &attributes);
        self.parked_streams.record(status.parked_streams.unsigned_abs(), &attributes);
    }

    pub(crate) fn applied(&self, projection: &'static str, events: usize) {
        self.applied.add(events as u64, &[KeyValue::new("projection", projection)]);
    }
}
