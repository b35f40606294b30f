//! Registering and renaming.

use person_aggregate::{Command, CommandKind, Person, Rejection};
use shared_kernel::testing::given_nothing;

use crate::samples::command;
use crate::scenario::{added, context, email, external, given, name, oidc, registered, renamed};

fn register(identities: Vec<person_aggregate::IdentityValue>) -> Command {
    Command::Register { name: name("Rita"), identities }
}

#[test]
fn register_numbers_identities_in_order() {
    let (address, account) = (email("rita@example.com"), oidc("https://id.example.com", "4f"));
    given_nothing::<Person>()
        .when(register(vec![external("KD-1"), account.clone(), address.clone()]), context())
        .then([registered(), added(1, external("KD-1")), added(2, account), added(3, address)]);
}

#[test]
fn register_without_identities() {
    given_nothing::<Person>().when(register(vec![]), context()).then([registered()]);
}

#[test]
fn register_passes_over_repeated_identities() {
    let identities = vec![email("Rita@example.com"), email("rita@EXAMPLE.com"), external("rita@example.com")];
    given_nothing::<Person>().when(register(identities), context()).then([
        registered(),
        added(1, email("Rita@example.com")),
        added(2, external("rita@example.com")),
    ]);
}

#[test]
fn register_is_limited_in_identities() {
    let identities = |n: u32| (0..n).map(|n| external(&n.to_string())).collect();
    let too_many = Rejection::TooManyIdentities { limit: 100 };
    given_nothing::<Person>().when(register(identities(101)), context()).then_rejected(too_many);
    let events: Vec<_> = (0..100).map(|n| added(n + 1, external(&n.to_string()))).collect();
    let expected = [&[registered()], &events[..]].concat();
    given_nothing::<Person>().when(register(identities(100)), context()).then(expected);
}

#[test]
fn register_only_once() {
    given([registered()]).when(register(vec![]), context()).then_rejected(Rejection::AlreadyRegistered);
}

#[test]
fn everything_else_needs_registration() {
    for kind in CommandKind::ALL.iter().filter(|kind| **kind != CommandKind::Register) {
        given_nothing::<Person>().when(command(*kind), context()).then_rejected(Rejection::NotRegistered);
    }
}

#[test]
fn command_has_its_kind() {
    for kind in CommandKind::ALL {
        assert_eq!(command(*kind).kind(), *kind);
    }
}

#[test]
fn rename_records_both_names() {
    let rename = |name| Command::Rename { name };
    given([registered()])
        .when(rename(name("Ria")), context())
        .then([renamed(name("Rita"), name("Ria"))])
        .when(rename(None), context())
        .then([renamed(name("Ria"), None)])
        .when(rename(None), context())
        .then_nothing();
    given([registered()]).when(rename(name("Rita")), context()).then_nothing();
}
