//! A server of this crate's own, over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers, too"
)]

mod limits;
mod protocol;
mod shutdown;
mod timeouts;
mod world;
