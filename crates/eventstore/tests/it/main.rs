//! The log against the real PostgreSQL: one binary, a database for each test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on should fail on the spot; clippy's own allowance does not reach its helpers"
)]

mod aliases;
mod append;
mod database;
mod demands;
mod examples;
mod faults;
mod follow;
mod leadership;
mod model;
mod read;
mod receipts;
mod snapshots;
mod subscriptions;
mod types;
mod world;
