use proptest::prelude::*;

use super::*;

#[path = "../../../../tools/fuzz/replay.rs"]
mod replay;

#[test]
fn the_kept_corpus_holds() {
    for (target, run) in TARGETS {
        replay::corpus(target, *run);
    }
}

proptest! {
    #[test]
    fn no_bytes_break_a_rule(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (_, run) in TARGETS {
            run(&bytes);
        }
    }
}
