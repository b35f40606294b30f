//! The relay between the real PostgreSQL and the real NATS: a database and a broker for each test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that can't go on should fail on the spot, and a test is an edge; clippy's own allowance does not reach \
              its helpers"
)]

mod audit;
mod faults;
mod flow;
mod halts;
mod rivals;
mod world;
