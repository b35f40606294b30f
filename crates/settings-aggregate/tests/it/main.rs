//! The rules of settings, tried on teams and on a kind that only the tests have. No database, no clock: seconds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on should fail on the spot; clippy's own allowance does not reach its helpers"
)]

mod codec;
mod fold;
mod greeting;
mod legal;
mod lifecycle;
mod properties;
mod rejections;
mod scenario;
mod team;
