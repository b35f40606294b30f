//! The inputs that `tools/fuzz/corpus` keeps for a target, read by the tests of the crate that the target belongs to.

use std::path::Path;

/// Runs a target over every input that is kept for it: seeds, and whatever was once found.
pub(crate) fn corpus(target: &str, run: fn(&[u8])) {
    // from a crate of the workspace, and from the fuzzer's own
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|folder| folder.join("tools/fuzz/corpus").is_dir());
    let folder = root.expect("the repository's root").join("tools/fuzz/corpus").join(target);
    let mut inputs: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    for input in inputs {
        // shown only where it fails
        println!("{}", input.display());
        run(&std::fs::read(input).unwrap());
    }
}
