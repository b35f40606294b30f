//! The log against the real PostgreSQL: one binary, a database for each test.

mod append;
mod database;
mod faults;
mod forgotten;
mod read;
mod receipts;
mod snapshots;
mod world;
