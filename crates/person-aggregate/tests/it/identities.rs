//! Adding and removing identities.

use person_aggregate::{Command, IdentityValue, Rejection};
use shared_kernel::IdentityId;

use crate::scenario::{added, context, email, external, fold, given, registered, removed};

fn add(value: IdentityValue) -> Command {
    Command::AddIdentity { value }
}
fn remove(number: u32) -> Command {
    Command::RemoveIdentity { identity: IdentityId(number) }
}

#[test]
fn add_identity_takes_next_number() {
    given([registered()])
        .when(add(email("rita@example.com")), context())
        .then([added(1, email("rita@example.com"))])
        .when(add(external("KD-1")), context())
        .then([added(2, external("KD-1"))]);
}

#[test]
fn add_identity_records_nothing_if_held() {
    let story = [registered(), added(1, email("rita@example.com")), added(2, external("KD-1"))];
    given(story.clone()).when(add(external("KD-1")), context()).then_nothing();
    // written otherwise, but the same address
    given(story).when(add(email("RITA@Example.COM")), context()).then_nothing();
}

#[test]
fn numbers_are_not_used_again() {
    given([registered(), added(1, external("KD-1")), removed(1)])
        .when(add(external("KD-1")), context())
        .then([added(2, external("KD-1"))]);
    given([registered(), added(u32::MAX, external("KD-1"))])
        .when(add(external("KD-2")), context())
        .then_rejected(Rejection::TooManyIdentities { limit: 100 });
}

#[test]
fn identities_are_limited() {
    let many = (1..=100).map(|n| added(n, external(&n.to_string())));
    let story: Vec<_> = std::iter::once(registered()).chain(many).collect();
    given(story.clone())
        .when(add(external("more")), context())
        .then_rejected(Rejection::TooManyIdentities { limit: 100 });
    given(story.clone()).when(add(external("7")), context()).then_nothing();
    given([&story[..], &[removed(7)]].concat())
        .when(add(external("more")), context())
        .then([added(101, external("more"))]);
}

#[test]
fn remove_identity() {
    let story = [registered(), added(1, external("KD-1")), added(2, external("KD-2"))];
    given(story).when(remove(1), context()).then([removed(1)]).when(remove(1), context()).then_nothing();
}

#[test]
fn remove_identity_needs_a_number_that_was_given() {
    for number in [0, 2, u32::MAX] {
        let rejection = Rejection::NoSuchIdentity { identity: IdentityId(number) };
        given([registered(), added(1, external("KD-1"))]).when(remove(number), context()).then_rejected(rejection);
    }
}

#[test]
fn primary_email_has_lowest_number() {
    assert_eq!(fold(&[registered(), added(1, external("KD-1"))]).primary_email(), None);
    let story = [
        registered(),
        added(1, external("KD-1")),
        added(2, email("rita@example.com")),
        added(3, email("ria@example.com")),
    ];
    let primary = |person: person_aggregate::Person| {
        person.primary_email().map(|(identity, address)| (identity.0, address.to_string()))
    };
    assert_eq!(primary(fold(&story)), Some((2, "rita@example.com".to_owned())));
    assert_eq!(primary(fold(&[&story[..], &[removed(2)]].concat())), Some((3, "ria@example.com".to_owned())));
}

#[test]
fn aliases_are_those_of_present_identities() {
    let story = [
        registered(),
        added(1, email("Rita@Bücher.example")),
        added(2, external("KD-1")),
        added(3, external("KD-2")),
        removed(2),
    ];
    let expected = [("person-email", "rita@xn--bcher-kva.example"), ("person-external", "KD-2")];
    let person = fold(&story);
    assert!(person.aliases().eq(expected.map(|(scope, name)| (scope, name.to_owned()))));
    assert_eq!(person.identity(&external("KD-2")), Some(IdentityId(3)));
    assert_eq!(person.identity(&external("KD-1")), None);
}
