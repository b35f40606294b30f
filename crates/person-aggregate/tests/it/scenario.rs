//! The people and the events of the stories that the tests tell. The stories are Rita's.

use std::collections::BTreeSet;

use person_aggregate::{
    Context, Event, ExternalName, IdentityAdded, IdentityValue, NameChange, OidcAccount, Person, PersonName,
    RegisteredName,
};
use shared_kernel::testing::{self, Given, person};
use shared_kernel::{EmailAddress, IdentityId, PersonId, Personal};

pub(crate) fn context() -> Context {
    Context { person_id: person("rita") }
}

/// A name where there may be none.
#[expect(clippy::unnecessary_wraps, reason = "that is its point")]
pub(crate) fn name(text: &str) -> Option<PersonName> {
    Some(PersonName::parse(text).unwrap())
}
pub(crate) fn email(text: &str) -> IdentityValue {
    IdentityValue::Email(EmailAddress::parse(text).unwrap())
}
pub(crate) fn oidc(issuer: &str, subject: &str) -> IdentityValue {
    IdentityValue::Oidc(OidcAccount::parse(issuer, subject).unwrap())
}
pub(crate) fn external(text: &str) -> IdentityValue {
    IdentityValue::External(ExternalName::parse(text).unwrap())
}
pub(crate) fn people(names: &[&str]) -> BTreeSet<PersonId> {
    names.iter().map(|name| person(name)).collect()
}

fn personal<T>(text: T) -> Personal<T> {
    Personal { of: person("rita"), text }
}

pub(crate) fn registered() -> Event {
    Event::PersonRegistered { personal: personal(RegisteredName { name: name("Rita") }) }
}
pub(crate) fn added(number: u32, value: IdentityValue) -> Event {
    Event::IdentityAdded(IdentityAdded { identity: IdentityId(number), personal: personal(value) })
}
pub(crate) fn removed(number: u32) -> Event {
    Event::IdentityRemoved { identity: IdentityId(number) }
}
pub(crate) fn renamed(from: Option<PersonName>, to: Option<PersonName>) -> Event {
    Event::PersonRenamed { personal: personal(NameChange { from, to }) }
}
pub(crate) fn merged(into: &str) -> Event {
    Event::PersonMerged { into: person(into) }
}
pub(crate) fn merge_received(source: &str, includes: &[&str]) -> Event {
    Event::MergeReceived { source: person(source), includes: people(includes) }
}
pub(crate) fn blocked() -> Event {
    Event::PersonBlocked { reason: "insults".to_owned() }
}
pub(crate) fn unblocked() -> Event {
    Event::PersonUnblocked {}
}

pub(crate) fn fold(events: &[Event]) -> Person {
    testing::fold::<Person>(events).expect("the story has a registration")
}

pub(crate) fn given(events: impl Into<Vec<Event>>) -> Given<Person> {
    testing::given(events)
}
