//! What events mean for an agent.

use agent_aggregate::{Agent, Override, Presence};
use shared_kernel::testing::{hour, person, team, ticket};
use shared_kernel::{Aggregate, Stamp, StreamVersion};

use crate::samples;
use crate::scenario::{
    agent, capacity_set, fold, joined, left, presence_changed, registered, registered_with, reserved, reserved_beyond,
    skills, skills_changed,
};

#[test]
fn nothing_is_an_agent_before_registration() {
    for event in samples::events().into_iter().skip(1) {
        assert_eq!(fold(&[event]), None);
    }
}

#[test]
fn new_agent_is_online() {
    let ada = agent(&[registered()]);
    assert_eq!((ada.handle.as_str(), ada.person), ("ada", person("ada")));
    assert_eq!((ada.capacity, ada.presence), (Some(5), Presence::Online));
    assert!(ada.teams.is_empty() && ada.skills.is_empty() && ada.slots.is_empty());
    assert_eq!((ada.registered_at, ada.updated_at), (hour(0), hour(0)));
}

#[test]
fn handle_is_the_alias() {
    assert_eq!(agent(&[registered()]).aliases(), [("agent-handle", "ada".to_owned())]);
}

#[test]
fn every_event_moves_time() {
    for event in samples::events() {
        let stamp = Stamp { occurred_at: hour(5), version: StreamVersion(2) };
        let after = Agent::evolve(fold(&[registered()]), &event, &stamp).unwrap();
        assert_eq!((after.registered_at, after.updated_at), (hour(0), hour(5)), "{event:?}");
    }
}

#[test]
fn second_registration_changes_only_time() {
    let expected = Agent { updated_at: hour(1), ..agent(&[registered()]) };
    assert_eq!(agent(&[registered(), registered_with(None)]), expected);
}

#[test]
fn events_set_members() {
    let changed = agent(&[
        registered(),
        joined("hardware"),
        joined("network"),
        left("hardware"),
        skills_changed(&[], &["german"]),
        capacity_set(Some(5), None),
        presence_changed(Presence::Online, Presence::Away),
        reserved("printer", 2),
    ]);
    assert_eq!(changed.teams, [team("network")].into());
    assert_eq!(changed.skills, skills(&["german"]));
    assert_eq!((changed.capacity, changed.presence), (None, Presence::Away));
    assert_eq!(changed.slots, [(ticket("printer"), 2)].into());
}

#[test]
fn size_grows_with_members() {
    let small = agent(&[registered()]);
    for event in [joined("hardware"), skills_changed(&[], &["german"]), reserved("printer", 1)] {
        assert!(Agent::size_of(&agent(&[registered(), event])) > Agent::size_of(&small));
    }
}

/// An old snapshot that still parses would be believed. Whoever changes the form raises `Agent::STATE_SCHEMA` and accepts
/// the new form.
#[test]
fn stored_state_has_form_of_schema() {
    let full = agent(&[
        registered(),
        joined("hardware"),
        skills_changed(&[], &["german"]),
        reserved_beyond("printer", 9, Some(Override::Manual)),
    ]);
    let json = serde_json::to_string_pretty(&full).unwrap();
    insta::assert_snapshot!(format!("schema {}\n{json}", Agent::STATE_SCHEMA));
    assert_eq!(serde_json::from_str::<Agent>(&json).unwrap(), full);
    let empty = agent(&[registered_with(None)]);
    let json = serde_json::to_string(&empty).unwrap();
    assert_eq!(serde_json::from_str::<Agent>(&json).unwrap(), empty);
}
