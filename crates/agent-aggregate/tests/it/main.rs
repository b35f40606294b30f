//! The rules of an agent, tried. No database, no clock: seconds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on should fail on the spot; clippy's own allowance does not reach its helpers"
)]

mod arbitrary;
mod codec;
mod fold;
mod legal;
mod profile;
mod properties;
mod registration;
mod rejections;
mod samples;
mod scenario;
mod slots;
mod teams;
mod values;

/// A file that is not named above would compile to nothing and pass.
#[test]
fn no_file_is_forgotten() {
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
