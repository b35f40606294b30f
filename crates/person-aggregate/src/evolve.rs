//! What an event means for a person: total and infallible, for what is recorded has happened.

use std::collections::{BTreeMap, BTreeSet};

use shared_kernel::{IdentityId, PersonId, Stamp};

use crate::event::Event;
use crate::person::Person;
use crate::value::PersonName;

/// The state after an event.
///
/// An event that can't have been recorded in that state, such as one before the registration, changes nothing that it does
/// not name: finding such histories is [`legal_step`](crate::legal_step)'s business.
#[must_use]
pub(crate) fn evolve(person: Option<Person>, event: &Event, stamp: &Stamp) -> Option<Person> {
    let mut person = match (person, event) {
        (None, Event::PersonRegistered { personal }) => {
            return Some(registered(personal.of, personal.text.name.clone(), stamp));
        }
        (None, _) => return None,
        (Some(person), _) => person,
    };
    apply(&mut person, event);
    person.updated_at = stamp.occurred_at;
    person.version = stamp.version;
    Some(person)
}

fn registered(id: PersonId, name: Option<PersonName>, stamp: &Stamp) -> Person {
    Person {
        version: stamp.version,
        updated_at: stamp.occurred_at,
        id,
        registered_at: stamp.occurred_at,
        name,
        identities: BTreeMap::new(),
        last_identity: IdentityId(0),
        merged_into: None,
        merged: BTreeSet::new(),
        blocked: false,
    }
}

fn apply(person: &mut Person, event: &Event) {
    match event {
        // a second registration is a fault of the log
        Event::PersonRegistered { .. } => {}
        Event::IdentityAdded(added) => {
            person.identities.insert(added.identity, added.personal.text.clone());
            person.last_identity = person.last_identity.max(added.identity);
        }
        Event::IdentityRemoved { identity } => {
            person.identities.remove(identity);
        }
        Event::PersonRenamed { personal } => person.name.clone_from(&personal.text.to),
        Event::PersonMerged { into } => person.merged_into = Some(*into),
        Event::MergeReceived { source, includes } => {
            person.merged.insert(*source);
            person.merged.extend(includes);
        }
        Event::PersonBlocked { .. } => person.blocked = true,
        Event::PersonUnblocked {} => person.blocked = false,
    }
}
