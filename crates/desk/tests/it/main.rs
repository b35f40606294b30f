//! The desk against the real PostgreSQL: one binary, a database for each test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers, too"
)]

mod audit;
mod conflict;
mod forgotten;
mod idempotency;
mod keys;
mod lifecycle;
mod links;
mod opening;
mod people;
mod precondition;
mod query;
mod reading;
mod several;
mod snapshots;
mod teams;
mod timers;
mod visibility;
mod world;
