//! The contract as clients see it: over a socket, against the real PostgreSQL, a database for each test.

mod access;
mod bodies;
mod client;
mod commands;
mod conditional;
mod contract;
mod forgotten;
mod history;
mod idempotency;
mod order;
mod problems;
mod races;
mod raw;
mod reading;
mod requester;
mod retries;
mod roles;
mod server;
mod source;
mod visibility;
mod world;
