pub(crate) struct Metrics {
    pub(crate) batches: Ignored,
    pub(crate) batch_units: Ignored,
    pub(crate) batch_seconds: Ignored,
    pub(crate) events: Ignored,
    pub(crate) queue: Ignored,
    pub(crate) conflicts: Ignored,
    pub(crate) replays: Ignored,
    pub(crate) overloads: Ignored,
    pub(crate) reconnects: Ignored,
    pub(crate) tail: Ignored,
}

/// An instrument that records nothing.
pub(crate) struct Ignored;

#[expect(clippy::unused_self, reason = "the form of an OpenTelemetry instrument")]
impl Ignored {
    pub(crate) fn add<T>(&self, _: T, _: &[()]) {}

    pub(crate) fn record<T>(&self, _: T, _: &[()]) {}
}

pub(crate) static METRICS: Metrics = Metrics {
    batches: Ignored,
    batch_units: Ignored,
    batch_seconds: Ignored,
    events: Ignored,
    queue: Ignored,
    conflicts: Ignored,
    replays: Ignored,
    overloads: Ignored,
    reconnects: Ignored,
    tail: Ignored,
};
