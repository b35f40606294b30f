//! The contract as clients see it: over a socket, against the real PostgreSQL, a database for each test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers, too"
)]

mod access;
mod agents;
mod behalf;
mod bodies;
mod client;
mod commands;
mod commands_at_once;
mod conditional;
mod contract;
mod counter;
mod dawdling;
mod documents;
mod events;
mod flood;
mod guards;
mod history;
mod idempotency;
mod limits;
mod list;
mod long;
mod me;
mod names;
mod order;
mod people;
mod problems;
mod races;
mod rate;
mod raw;
mod reading;
mod requester;
mod retries;
mod roles;
mod rules;
mod server;
mod shedding;
mod source;
mod teams;
mod transport;
mod visibility;
mod world;
