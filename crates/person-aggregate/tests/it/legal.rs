//! What an audit refuses.

use person_aggregate::{Event, IdentityAdded, IllegalStep, NameChange, legal_step};
use shared_kernel::testing::person;
use shared_kernel::{Aggregate, DomainEvent, IdentityId, Personal};

use crate::samples;
use crate::scenario::{
    added, blocked, external, fold, merge_received, merged, name, registered, removed, renamed, unblocked,
};

/// The step is legal after the story, or contradicts this member.
fn check(story: &[Event], event: &Event, contradicted: Option<&'static str>) {
    match (legal_step(Some(&fold(story)), event), contradicted) {
        (Ok(()), None) => {}
        (Err(IllegalStep::Contradiction { field, event_type, .. }), Some(expected)) => {
            assert_eq!((field, event_type), (expected, event.event_type()));
        }
        (outcome, _) => panic!("{event:?}: {outcome:?}"),
    }
}

#[test]
fn registration_comes_first_and_once() {
    for event in samples::events() {
        let is_registration = matches!(event, Event::PersonRegistered { .. });
        assert_eq!(legal_step(None, &event).is_ok(), is_registration, "{event:?}");
    }
    assert_eq!(legal_step(Some(&fold(&[registered()])), &registered()), Err(IllegalStep::RegisteredAgain));
}

#[test]
fn nothing_follows_a_merge() {
    let state = fold(&[registered(), added(1, external("KD-1")), merged("ria")]);
    for event in &samples::events()[1..] {
        let event_type = event.event_type();
        let expected = IllegalStep::AfterMerge { event_type, into: person("ria") };
        assert_eq!(legal_step(Some(&state), event), Err(expected));
    }
}

#[test]
fn identity_numbers_ascend() {
    let story = [registered(), added(1, external("KD-1")), added(2, external("KD-2")), removed(2)];
    check(&story, &added(3, external("KD-2")), None);
    for number in [0, 1, 2, 4] {
        check(&story, &added(number, external("KD-3")), Some("last_identity"));
    }
    check(&story, &added(3, external("KD-1")), Some("identities"));
}

#[test]
fn removed_identity_was_there() {
    let story = [registered(), added(1, external("KD-1")), added(2, external("KD-2")), removed(2)];
    check(&story, &removed(1), None);
    check(&story, &removed(2), Some("identities"));
    check(&story, &removed(3), Some("identities"));
}

#[test]
fn renaming_starts_from_the_present_name() {
    check(&[registered()], &renamed(name("Rita"), None), None);
    check(&[registered()], &renamed(name("Ria"), None), Some("name"));
    check(&[registered()], &renamed(name("Rita"), name("Rita")), Some("name"));
}

#[test]
fn blocks_alternate() {
    check(&[registered()], &blocked(), None);
    check(&[registered()], &unblocked(), Some("blocked"));
    check(&[registered(), blocked()], &unblocked(), None);
    check(&[registered(), blocked()], &blocked(), Some("blocked"));
}

#[test]
fn merges_name_others_and_add_somebody() {
    let story = [registered(), merge_received("ria", &["old"])];
    check(&story, &merge_received("rick", &["ria"]), None);
    check(&story, &merge_received("ria", &["older"]), None);
    check(&story, &merge_received("ria", &["old"]), Some("merged"));
    check(&story, &merged("rick"), None);
    for event in [merged("rita"), merged("old"), merge_received("rita", &[]), merge_received("rick", &["rita"])] {
        let event_type = event.event_type();
        assert_eq!(legal_step(Some(&fold(&story)), &event), Err(IllegalStep::MergeWithItself { event_type }));
    }
}

#[test]
fn personal_text_is_the_persons_own() {
    let of = person("ria");
    let value = Personal { of, text: external("KD-1") };
    let events = [
        Event::IdentityAdded(IdentityAdded { identity: IdentityId(1), personal: value }),
        Event::PersonRenamed { personal: Personal { of, text: NameChange { from: name("Rita"), to: None } } },
    ];
    for event in events {
        let event_type = event.event_type();
        assert_eq!(legal_step(Some(&fold(&[registered()])), &event), Err(IllegalStep::OfAnother { event_type, of }));
    }
}

#[test]
fn names_stay_out_of_the_message() {
    let error = person_aggregate::Person::check_step(Some(&fold(&[registered()])), &renamed(name("Ria"), None));
    let message = error.unwrap_err().to_string();
    assert!(message.contains("person.renamed") && !message.contains("Rita"), "{message}");
}
