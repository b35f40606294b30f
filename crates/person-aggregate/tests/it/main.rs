//! The rules of a person, tried. No database, no clock: seconds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on should fail on the spot; clippy's own allowance does not reach its helpers"
)]

mod arbitrary;
mod blocking;
mod codec;
mod fold;
mod identities;
mod legal;
mod merging;
mod properties;
mod registration;
mod rejections;
mod samples;
mod scenario;
mod values;
