//! The read models against the real PostgreSQL: one binary, a database for each test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on should fail on the spot; clippy's own allowance does not reach its helpers"
)]

mod agents;
mod audit;
mod leaders;
mod lists;
mod once;
mod people;
mod poison;
mod rebuilds;
mod records;
mod settings;
mod stored_form;
mod stories;
mod timers;
mod world;
