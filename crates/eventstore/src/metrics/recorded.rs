use std::sync::LazyLock;

use opentelemetry::metrics::{Counter, Gauge, Histogram, UpDownCounter};

pub(crate) struct Metrics {
    pub(crate) batches: Counter<u64>,
    pub(crate) batch_units: Histogram<u64>,
    pub(crate) batch_seconds: Histogram<f64>,
    pub(crate) events: Counter<u64>,
    pub(crate) queue: UpDownCounter<i64>,
    pub(crate) conflicts: Counter<u64>,
    pub(crate) replays: Counter<u64>,
    pub(crate) overloads: Counter<u64>,
    pub(crate) reconnects: Counter<u64>,
    pub(crate) tail: Gauge<u64>,
}

/// Made at the first use: the application sets its meter provider before that.
pub(crate) static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    let meter = opentelemetry::global::meter("eventstore");
    let counter = |name, what| {
        let counter = meter.u64_counter(name).with_description(what).build();
        // a counter that has counted nothing is zero, not absent: a rate over it can be asked for at once
        counter.add(0, &[]);
        counter
    };
    Metrics {
        batches: counter("eventstore_batches", "batches sent to the database"),
        batch_units: meter
            .u64_histogram("eventstore_batch_units")
            .with_description("units in a batch")
            .with_boundaries(vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0])
            .build(),
        batch_seconds: meter
            .f64_histogram("eventstore_batch_duration")
            .with_unit("s")
            .with_description("time from sending a batch to its commit")
            .with_boundaries(vec![0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0])
            .build(),
        events: counter("eventstore_events_appended", "events appended"),
        queue: meter
            .i64_up_down_counter("eventstore_queue_depth")
            .with_description("appends waiting or under way")
            .build(),
        conflicts: counter("eventstore_conflicts", "units refused for their expected version"),
        replays: counter("eventstore_replays", "units answered from a receipt"),
        overloads: counter("eventstore_overloads", "appends refused because the queue was full"),
        reconnects: counter("eventstore_reconnects", "connections of the appender that were lost"),
        tail: meter
            .u64_gauge("eventstore_tail_position")
            .with_description("the position up to which this process has read the log")
            .build(),
    }
});
