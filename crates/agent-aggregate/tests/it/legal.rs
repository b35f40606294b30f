//! What the audit finds in a history that no sequence of commands can have recorded.

use agent_aggregate::{Agent, Event, IllegalStep, Override, Presence, legal_step};
use shared_kernel::{Aggregate, DomainEvent};

use crate::samples;
use crate::scenario::{
    capacity_set, fold, joined, left, presence_changed, registered, registered_with, released, reserved,
    reserved_beyond, skills_changed,
};

fn step(before: &[Event], event: &Event) -> Result<(), IllegalStep> {
    legal_step(fold(before).as_ref(), event)
}

#[track_caller]
fn contradicts(before: &[Event], event: &Event, field: &str) {
    match step(before, event) {
        Err(IllegalStep::Contradiction { field: found, event_type, .. }) => {
            assert_eq!((found, event_type), (field, event.event_type()));
        }
        other => panic!("{event:?}: {other:?}"),
    }
}

#[test]
fn registration_comes_first_and_once() {
    assert_eq!(step(&[], &registered()), Ok(()));
    assert_eq!(step(&[registered()], &registered()), Err(IllegalStep::RegisteredAgain));
    for event in samples::events().iter().skip(1) {
        let event_type = event.event_type();
        assert_eq!(step(&[], event), Err(IllegalStep::BeforeRegistration { event_type }));
    }
}

#[test]
fn membership_begins_and_ends_once() {
    let member = [registered(), joined("hardware")];
    assert_eq!(step(&member, &joined("network")), Ok(()));
    assert_eq!(step(&member, &left("hardware")), Ok(()));
    contradicts(&member, &joined("hardware"), "teams");
    contradicts(&member, &left("network"), "teams");
}

#[test]
fn from_values_hold() {
    let start = [registered(), skills_changed(&[], &["german"])];
    assert_eq!(step(&start, &skills_changed(&["german"], &["latin"])), Ok(()));
    contradicts(&start, &skills_changed(&[], &["latin"]), "skills");
    assert_eq!(step(&start, &capacity_set(Some(5), None)), Ok(()));
    contradicts(&start, &capacity_set(None, Some(8)), "capacity");
    assert_eq!(step(&start, &presence_changed(Presence::Online, Presence::Away)), Ok(()));
    contradicts(&start, &presence_changed(Presence::Away, Presence::Offline), "presence");
}

#[test]
fn changes_change_something() {
    let start = [registered()];
    contradicts(&start, &skills_changed(&[], &[]), "skills");
    contradicts(&start, &capacity_set(Some(5), Some(5)), "capacity");
    contradicts(&start, &presence_changed(Presence::Online, Presence::Online), "presence");
}

#[test]
fn slots_are_reserved_and_released_once() {
    let busy = [registered(), reserved("printer", 1)];
    assert_eq!(step(&busy, &reserved("router", 4)), Ok(()));
    assert_eq!(step(&busy, &released("printer")), Ok(()));
    contradicts(&busy, &reserved("printer", 1), "slots");
    contradicts(&busy, &released("router"), "slots");
}

#[test]
fn beyond_capacity_requires_override() {
    let full = [registered(), reserved("printer", 5)];
    for reason in Override::ALL {
        assert_eq!(step(&full, &reserved_beyond("router", 1, Some(*reason))), Ok(()));
    }
    let beyond = IllegalStep::BeyondCapacity { load: 5, capacity: 5, weight: 1 };
    assert_eq!(step(&full, &reserved("router", 1)), Err(beyond));
    assert_eq!(step(&[registered_with(None), reserved("printer", 5)], &reserved("router", u32::MAX)), Ok(()));
}

#[test]
fn override_requires_overrun() {
    for capacity in [Some(5), None] {
        let needless = IllegalStep::NeedlessOverride { weight: 5, reason: Override::Returned };
        let event = reserved_beyond("printer", 5, Some(Override::Returned));
        assert_eq!(step(&[registered_with(capacity)], &event), Err(needless));
    }
}

#[test]
fn check_step_reports_findings() {
    let said = |before: &[Event], event: &Event| {
        Agent::check_step(fold(before).as_ref(), event).map_err(|finding| finding.to_string())
    };
    assert_eq!(said(&[], &registered()), Ok(()));
    let finding = said(&[registered()], &capacity_set(None, Some(8)));
    assert_eq!(finding, Err("agent.capacity_set contradicts the agent: capacity is Some(5)".to_owned()));
    let finding = said(&[registered()], &reserved("printer", 6));
    let expected = "a weight of 6 is reserved on a load of 0, beyond the capacity of 5, without override";
    assert_eq!(finding, Err(expected.to_owned()));
    let finding = said(&[registered()], &reserved_beyond("printer", 1, Some(Override::Manual)));
    assert_eq!(finding, Err("a weight of 1 is reserved with the override manual, but it fits".to_owned()));
}
