//! What a rejection says, to programs and to people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use person_aggregate::Rejection;
use shared_kernel::IdentityId;
use shared_kernel::testing::person;

fn all() -> Vec<Rejection> {
    vec![
        Rejection::Blank { field: "reason" },
        Rejection::TooLong { field: "reason", limit: 1_000 },
        Rejection::ControlCharacter { field: "reason" },
        Rejection::MergeWithItself,
        Rejection::NotRegistered,
        Rejection::AlreadyRegistered,
        Rejection::MergedAway { into: person("ria") },
        Rejection::NoSuchIdentity { identity: IdentityId(7) },
        Rejection::TooManyIdentities { limit: 100 },
        Rejection::TooManyMerged { limit: 1_000 },
    ]
}

/// Codes are stable: a change shows as a diff.
#[test]
fn codes_kinds_and_sentences() {
    let mut list = String::new();
    for rejection in all() {
        writeln!(list, "{} ({:?}): {rejection}", rejection.code(), rejection.kind()).unwrap();
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
