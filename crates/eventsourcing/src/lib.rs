//! Aggregates on the event store.
