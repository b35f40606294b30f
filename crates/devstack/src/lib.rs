//! A private PostgreSQL and a private NATS: found or fetched, started, watched and stopped.
//!
//! `docket serve` without configuration and the tests of every crate run on them. This crate knows no other crate of the workspace.
//!
//! - PostgreSQL listens on a unix socket only, in a folder that only its user (and root) may enter; nothing can collide with a
//!   server on port 5432, and nobody else can connect, which is why it asks for no password.
//! - NATS listens on a port of 127.0.0.1, which every account of the machine can reach: it asks for a password ([`Nats`]).
//! - PostgreSQL refuses to run as root: as root it runs as `postgres`, else as `nobody` ([`Error::Unreachable`] tells what follows).
//! - Both servers run in a session of their own, so that Ctrl-C reaches Docket first, and stop cleanly when Docket is killed.
//! - [`testing`] shares one server among all processes of a test run.

mod data_dir;
mod error;
mod fetch;
mod find;
mod name;
mod nats;
mod permissions;
mod postgres;
mod process;
pub mod testing;
mod user;

pub use error::Error;
pub use nats::{Nats, Readable};
pub use permissions::{create_data_dir, write_private};
pub use postgres::{Durability, Postgres};
