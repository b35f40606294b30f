//! What a refusal says, to programs and to people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use agent_aggregate::Rejection;

fn all() -> Vec<Rejection> {
    vec![
        Rejection::CapacityTooLarge { limit: 10_000 },
        Rejection::TooManySkills { limit: 100 },
        Rejection::NotRegistered,
        Rejection::AlreadyRegistered,
        Rejection::TooManyTeams { limit: 100 },
        Rejection::AtCapacity { load: 5, capacity: 5, weight: 1 },
    ]
}

/// Codes are stable: a change shows as a diff.
#[test]
fn codes_kinds_and_sentences() {
    let mut list = String::new();
    for refusal in all() {
        writeln!(list, "{} ({:?}): {refusal}", refusal.code(), refusal.kind()).unwrap();
    }
    insta::assert_snapshot!(list);
}

#[test]
fn codes_are_snake_case_and_differ() {
    let codes: BTreeSet<&str> = all().iter().map(Rejection::code).collect();
    assert_eq!(codes.len(), all().len());
    for code in codes {
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
    }
}
