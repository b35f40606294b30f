//! What a rejection says, to programs and to people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use settings_aggregate::{Fault, Rejection};

fn fault(pointer: &str, detail: &str) -> Fault {
    Fault { pointer: pointer.to_owned(), detail: detail.to_owned() }
}

fn all() -> Vec<Rejection> {
    let faults = vec![fault("/description", "is blank; write something or leave it out"), fault("", "is too big")];
    vec![Rejection::InvalidDocument { faults }, Rejection::NotCreated, Rejection::AlreadyCreated, Rejection::Retired]
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
