//! What events mean for a person.

use person_aggregate::Person;
use shared_kernel::testing::{hour, person};
use shared_kernel::{Aggregate, IdentityId, Stamp, StreamVersion};

use crate::samples;
use crate::scenario::{
    added, blocked, email, external, fold, merge_received, merged, name, people, registered, removed, renamed,
    unblocked,
};

#[test]
fn registration_starts_a_person() {
    let person_of_story = fold(&[registered()]);
    assert_eq!(person_of_story.id, person("rita"));
    assert_eq!(person_of_story.name, name("Rita"));
    assert_eq!((person_of_story.registered_at, person_of_story.updated_at), (hour(0), hour(0)));
    assert_eq!((person_of_story.version, person_of_story.last_identity), (StreamVersion(1), IdentityId(0)));
    assert!(!person_of_story.blocked && person_of_story.merged_into.is_none());
}

#[test]
fn every_event_moves_version_and_time() {
    for event in samples::events() {
        let stamp = Stamp { occurred_at: hour(5), version: StreamVersion(2) };
        let after = Person::evolve(Some(fold(&[registered()])), &event, &stamp).unwrap();
        assert_eq!((after.version, after.updated_at), (StreamVersion(2), hour(5)), "{event:?}");
        assert_eq!(after.registered_at, hour(0));
    }
}

#[test]
fn nothing_comes_before_registration() {
    let stamp = Stamp { occurred_at: hour(0), version: StreamVersion(1) };
    for event in &samples::events()[1..] {
        assert_eq!(Person::evolve(None, event, &stamp), None);
    }
}

#[test]
fn names_identities_and_blocks_change() {
    let story = [
        registered(),
        renamed(name("Rita"), name("Ria")),
        added(1, external("KD-1")),
        added(2, email("ria@example.com")),
        removed(2),
        blocked(),
    ];
    let state = fold(&story);
    assert_eq!(state.name, name("Ria"));
    assert!(state.blocked && !fold(&[&story[..], &[unblocked()]].concat()).blocked);
    assert_eq!(state.identities.keys().copied().collect::<Vec<_>>(), [IdentityId(1)]);
    assert_eq!(state.last_identity, IdentityId(2));
}

/// An old snapshot that still parses would be believed. Whoever changes the form raises `Person::STATE_SCHEMA` and accepts
/// the new form.
#[test]
fn stored_state_has_the_form_of_its_schema_version() {
    let state = fold(&[
        registered(),
        added(1, email("Rita@example.com")),
        added(2, external("KD-1")),
        merge_received("ria", &["old"]),
        blocked(),
        merged("rick"),
    ]);
    assert_eq!(state.merged, people(&["ria", "old"]));
    let json = serde_json::to_string_pretty(&state).unwrap();
    assert_eq!(serde_json::from_str::<Person>(&json).unwrap(), state);
    assert!(Person::size_of(&state) > Person::size_of(&fold(&[registered()])));
    insta::assert_snapshot!(format!("schema {}\n{json}", Person::STATE_SCHEMA));
    let least = fold(&[registered(), renamed(name("Rita"), None)]);
    assert_eq!(serde_json::from_str::<Person>(&serde_json::to_string(&least).unwrap()).unwrap(), least);
}
