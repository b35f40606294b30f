//! Merging: one unit, an event in each of the two streams.

use person_aggregate::{Command, CommandKind, Rejection};
use shared_kernel::testing::person;

use crate::samples::command;
use crate::scenario::{added, context, email, fold, given, merge_received, merged, people, registered};

fn merge_into(name: &str) -> Command {
    Command::MergeInto { into: person(name) }
}
fn receive(source: &str, includes: &[&str]) -> Command {
    Command::ReceiveMerge { source: person(source), includes: people(includes) }
}

#[test]
fn merge_into_another() {
    given([registered()]).when(merge_into("ria"), context()).then([merged("ria")]);
}

#[test]
fn merged_person_is_read_only() {
    for kind in CommandKind::ALL {
        let story = [registered(), added(1, email("rita@example.com")), merged("ria")];
        let rejection = Rejection::MergedAway { into: person("ria") };
        given(story).when(command(*kind), context()).then_rejected(rejection);
    }
}

#[test]
fn merged_person_keeps_identities() {
    let person = fold(&[registered(), added(1, email("rita@example.com")), merged("ria")]);
    assert_eq!(person.aliases().count(), 1);
    assert!(person.primary_email().is_some());
}

#[test]
fn nobody_is_merged_with_themselves() {
    for command in [merge_into("rita"), receive("rita", &[]), receive("ria", &["rita"])] {
        given([registered()]).when(command, context()).then_rejected(Rejection::MergeWithItself);
    }
    // nor with somebody who was merged into them
    given([registered(), merge_received("ria", &["old"])])
        .when(merge_into("old"), context())
        .then_rejected(Rejection::MergeWithItself);
}

#[test]
fn receive_merge_includes_those_of_the_source() {
    let story = given([registered()])
        .when(receive("ria", &["ria", "old"]), context())
        .then([merge_received("ria", &["old"])])
        .when(receive("rick", &[]), context())
        .then([merge_received("rick", &[])]);
    story.when(receive("ria", &["old"]), context()).then_nothing();
    let person = fold(&[registered(), merge_received("ria", &["old"]), merge_received("rick", &[])]);
    assert_eq!(person.merged, people(&["ria", "old", "rick"]));
}

#[test]
fn receive_merge_is_limited() {
    let names: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let limit = Rejection::TooManyMerged { limit: 1_000 };
    given([registered()]).when(receive("ria", &names), context()).then_rejected(limit);
    given([registered()]).when(receive("0", &names), context()).then([merge_received("0", &names[1..])]);
}
