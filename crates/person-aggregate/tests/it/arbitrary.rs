//! Any command and any event that there could be.

use std::collections::BTreeSet;

use person_aggregate::{
    Command, Event, ExternalName, IdentityAdded, IdentityValue, NameChange, OidcAccount, PersonName, RegisteredName,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use shared_kernel::testing::person;
use shared_kernel::{EmailAddress, IdentityId, PersonId, Personal};

/// A few, so that they meet again; Rita is the person of the stories.
fn people() -> impl Strategy<Value = PersonId> {
    prop_oneof![Just("rita"), Just("ria"), Just("rick"), Just("old")].prop_map(person)
}
fn groups() -> impl Strategy<Value = BTreeSet<PersonId>> {
    btree_set(people(), 0..3)
}
fn numbers() -> impl Strategy<Value = IdentityId> {
    prop_oneof![9 => 0..6_u32, 1 => any::<u32>()].prop_map(IdentityId)
}
fn names() -> impl Strategy<Value = Option<PersonName>> {
    let texts = prop_oneof![Just("Rita".to_owned()), Just("Ria".to_owned()), any::<String>()];
    option::of(texts.prop_filter_map("not a name", |text| PersonName::parse(&text).ok()))
}

fn emails() -> impl Strategy<Value = IdentityValue> {
    let texts = prop_oneof![
        2 => "[Rr]ita@[Ee]xample\\.com",
        1 => "[a-zA-Z0-9öİΣß.+]{1,20}@[a-zöß]{1,8}(\\.[a-z]{2,3})?",
    ];
    texts.prop_filter_map("not an address", |text| EmailAddress::parse(&text).ok().map(IdentityValue::Email))
}
fn accounts() -> impl Strategy<Value = IdentityValue> {
    let pairs = prop_oneof![
        2 => (Just("https://id.example.com".to_owned()), "[ab]"),
        1 => (any::<String>(), any::<String>()),
    ];
    pairs.prop_filter_map("not an account", |(issuer, subject)| {
        OidcAccount::parse(&issuer, &subject).ok().map(IdentityValue::Oidc)
    })
}
fn externals() -> impl Strategy<Value = IdentityValue> {
    let texts = prop_oneof![2 => "KD-[1-3]", 1 => any::<String>()];
    texts.prop_filter_map("not a name", |text| ExternalName::parse(&text).ok().map(IdentityValue::External))
}
fn identities() -> impl Strategy<Value = IdentityValue> {
    prop_oneof![emails(), accounts(), externals()]
}

fn registrations() -> impl Strategy<Value = Command> {
    (names(), vec(identities(), 0..4)).prop_map(|(name, identities)| Command::Register { name, identities })
}

pub(crate) fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        1 => registrations(),
        3 => names().prop_map(|name| Command::Rename { name }),
        6 => identities().prop_map(|value| Command::AddIdentity { value }),
        4 => numbers().prop_map(|identity| Command::RemoveIdentity { identity }),
        1 => people().prop_map(|into| Command::MergeInto { into }),
        3 => (people(), groups()).prop_map(|(source, includes)| Command::ReceiveMerge { source, includes }),
        2 => prop_oneof![Just("insults".to_owned()), any::<String>()].prop_map(|reason| Command::Block { reason }),
        2 => Just(Command::Unblock),
    ]
}

/// Mostly a registration and commands on whom it registers.
pub(crate) fn walks() -> impl Strategy<Value = Vec<Command>> {
    let rest = vec(commands(), 0..30);
    (option::weighted(0.9, registrations()), rest).prop_map(|(first, rest)| first.into_iter().chain(rest).collect())
}

/// Every type, whether or not a person could ever have it.
pub(crate) fn events() -> impl Strategy<Value = Event> {
    let personal = |of, name| Personal { of, text: RegisteredName { name } };
    prop_oneof![
        2 => (people(), names()).prop_map(move |(of, name)| Event::PersonRegistered { personal: personal(of, name) }),
        3 => (numbers(), people(), identities()).prop_map(|(identity, of, text)| {
            Event::IdentityAdded(IdentityAdded { identity, personal: Personal { of, text } })
        }),
        2 => numbers().prop_map(|identity| Event::IdentityRemoved { identity }),
        1 => (people(), names(), names()).prop_map(|(of, from, to)| {
            Event::PersonRenamed { personal: Personal { of, text: NameChange { from, to } } }
        }),
        1 => people().prop_map(|into| Event::PersonMerged { into }),
        1 => (people(), groups()).prop_map(|(source, includes)| Event::MergeReceived { source, includes }),
        1 => any::<String>().prop_map(|reason| Event::PersonBlocked { reason }),
        1 => Just(Event::PersonUnblocked {}),
    ]
}
