//! The desk against the real PostgreSQL: one binary, a database for each test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers, too"
)]

mod agents;
mod audit;
mod capacity;
mod cast;
mod conflict;
mod follow_ups;
mod forgotten;
mod idempotency;
mod key_owners;
mod key_rotation;
mod keys;
mod lifecycle;
mod links;
mod names;
mod opening;
mod people;
mod precondition;
mod query;
mod reading;
mod setup;
mod several;
mod snapshots;
mod tampering;
mod teams;
mod timers;
mod visibility;
mod when;
mod world;
