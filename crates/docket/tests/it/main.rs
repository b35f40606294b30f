//! The binary, run as people run it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that can't go on should fail on the spot, and a test is an edge; clippy's own allowance does not reach \
              its helpers"
)]

mod architecture;
mod audit;
mod broker;
mod cli;
mod docs;
mod import;
mod keys;
mod logs;
mod projections;
mod readme;
mod relay;
mod serve;
mod server;
mod startup;
mod terminal;
mod ticket;
mod timers;
