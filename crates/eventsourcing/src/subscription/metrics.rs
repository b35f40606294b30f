//! OpenTelemetry metrics of the subscriptions that this process leads.

use std::sync::LazyLock;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Gauge;

pub(super) struct Metrics {
    lag_events: Gauge<u64>,
    parked_streams: Gauge<u64>,
}

/// Created on first use, after the application has set its meter provider.
pub(super) static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    let meter = opentelemetry::global::meter("eventsourcing");
    let gauge = |name, description| meter.u64_gauge(name).with_description(description).build();
    Metrics {
        lag_events: gauge(
            "docket_subscription_lag_events",
            "Events in the log that a subscription led by this process has not handled yet",
        ),
        parked_streams: gauge(
            "docket_subscription_parked_streams",
            "Streams that a subscription led by this process passes over because an event could not be applied",
        ),
    }
});

impl Metrics {
    pub(super) fn record(&self, subscription: &str, lag: u64, parked: usize) {
        let attributes = [KeyValue::new("subscription", subscription.to_owned())];
        self.lag_events.record(lag, &attributes);
        self.parked_streams.record(parked as u64, &attributes);
    }
}
