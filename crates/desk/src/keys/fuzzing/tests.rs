use proptest::prelude::*;

use super::*;

#[path = "../../../../../tools/fuzz/replay.rs"]
mod replay;

#[test]
fn the_kept_corpus_holds() {
    for (target, run) in TARGETS {
        replay::corpus(target, *run);
    }
}

proptest! {
    #[test]
    fn a_right_checksum_makes_a_token(stem in "dk_[0-9a-f]{16}_[0-9a-f]{64}") {
        let text = format!("{stem}{:08x}", crc32(stem.as_bytes()));
        prop_assert_eq!(Token::parse(&text).map(|token| token.reveal()), Some(text.clone()));
        token(text.as_bytes());
    }

    /// A checksum of 32 bits finds every fault of a single character.
    #[test]
    fn a_mistyped_token_is_none(stem in "dk_[0-9a-f]{16}_[0-9a-f]{64}", at in 0..92_usize, typed in "[ -~]") {
        let mut text = format!("{stem}{:08x}", crc32(stem.as_bytes()));
        let same = text[at..=at] == typed;
        text.replace_range(at..=at, &typed);
        prop_assert_eq!(Token::parse(&text).is_some(), same, "{}", text);
    }

    #[test]
    fn no_text_makes_parsing_panic(text in prop_oneof![any::<String>(), "dk_[0-9a-f]{15,17}_[0-9a-fA-F]{70,74}"]) {
        token(text.as_bytes());
    }
}
