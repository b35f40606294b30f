//! The executor, the unit of work and the subscription runtime and the timers, on a real database and with aggregates of the tests' own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on should fail on the spot; clippy's own allowance does not reach its helpers"
)]

mod accounts;
mod subscriptions;
mod timers;
mod units;
