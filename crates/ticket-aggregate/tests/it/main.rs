//! The rules of a ticket, tried. No database, no clock: seconds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on should fail on the spot; clippy's own allowance does not reach its helpers"
)]

mod allowed;
mod arbitrary;
mod assignment;
mod codec;
mod codec_properties;
mod conversation;
mod details;
mod diagram;
mod fold;
mod histories;
mod legal;
mod lifecycle;
mod opening;
mod permission;
mod personal;
mod properties;
mod public_view;
mod rejections;
mod requester;
mod resolution;
mod samples;
mod scenario;
mod table;
mod timers;
mod validation;
mod values;
mod visibility;
mod walks;

/// A file that is not named above would compile to nothing and pass.
#[test]
fn every_file_is_a_module() {
    let named = include_str!("main.rs");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.extension().is_some_and(|extension| extension == "rs");
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if is_test && stem != "main" {
            let module = format!("mod {stem};");
            assert!(named.lines().any(|line| line == module), "add `{module}` to main.rs");
        }
    }
}
