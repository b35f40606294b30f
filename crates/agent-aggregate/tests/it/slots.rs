//! What tickets take of a capacity.

use agent_aggregate::{Override, Presence, Rejection};

use crate::scenario::{
    agent, given, presence_changed, registered, registered_with, release, released, reserve, reserved, reserved_beyond,
};

#[test]
fn reserve_up_to_capacity() {
    let half = given([registered()]).when(reserve("printer", 3, None), ()).then([reserved("printer", 3)]);
    let full = half.when(reserve("router", 2, None), ()).then([reserved("router", 2)]);
    let refusal = Rejection::AtCapacity { load: 5, capacity: 5, weight: 1 };
    full.when(reserve("phone", 1, None), ()).then_rejected(refusal);
}

#[test]
fn reserve_counts_whole_weight() {
    let refusal = Rejection::AtCapacity { load: 3, capacity: 5, weight: 3 };
    given([registered(), reserved("printer", 3)]).when(reserve("router", 3, None), ()).then_rejected(refusal);
    let refusal = Rejection::AtCapacity { load: 3, capacity: 5, weight: u32::MAX };
    given([registered(), reserved("printer", 3)]).when(reserve("router", u32::MAX, None), ()).then_rejected(refusal);
}

#[test]
fn capacity_zero_has_no_room() {
    let refusal = Rejection::AtCapacity { load: 0, capacity: 0, weight: 1 };
    given([registered_with(Some(0))]).when(reserve("printer", 1, None), ()).then_rejected(refusal);
}

#[test]
fn unlimited_capacity_has_room() {
    let busy = given([registered_with(None), reserved("printer", u32::MAX)]);
    busy.when(reserve("router", u32::MAX, None), ()).then([reserved("router", u32::MAX)]);
}

#[test]
fn override_exceeds_capacity() {
    for reason in Override::ALL {
        let full = given([registered(), reserved("printer", 5)]);
        full.when(reserve("router", 1, Some(*reason)), ()).then([reserved_beyond("router", 1, Some(*reason))]);
    }
}

#[test]
fn override_is_recorded_only_when_needed() {
    let allowed = reserve("printer", 5, Some(Override::Manual));
    given([registered()]).when(allowed.clone(), ()).then([reserved("printer", 5)]);
    given([registered_with(None)]).when(allowed, ()).then([reserved("printer", 5)]);
}

#[test]
fn reserve_twice_records_nothing() {
    let full = || given([registered(), reserved("printer", 5)]);
    full().when(reserve("printer", 5, None), ()).then_nothing();
    full().when(reserve("printer", 9, Some(Override::Returned)), ()).then_nothing();
}

#[test]
fn release_makes_room() {
    let full = given([registered(), reserved("printer", 5)]);
    let free = full.when(release("printer"), ()).then([released("printer")]);
    free.when(reserve("router", 5, None), ()).then([reserved("router", 5)]);
}

#[test]
fn release_without_slot_records_nothing() {
    given([registered(), reserved("printer", 1)]).when(release("router"), ()).then_nothing();
    given([registered(), reserved("printer", 1), released("printer")]).when(release("printer"), ()).then_nothing();
}

#[test]
fn reserve_ignores_presence() {
    let offline = presence_changed(Presence::Online, Presence::Offline);
    given([registered(), offline]).when(reserve("printer", 1, None), ()).then([reserved("printer", 1)]);
}

#[test]
fn load_is_sum_of_weights() {
    assert_eq!(agent(&[registered()]).load(), 0);
    let busy = [registered_with(None), reserved("printer", 2), reserved("router", u32::MAX)];
    assert_eq!(agent(&busy).load(), 4_294_967_297);
    let calmer = [&busy[..], &[released("router")]].concat();
    assert_eq!(agent(&calmer).load(), 2);
}

#[test]
fn room_is_capacity_less_load() {
    let ada = agent(&[registered(), reserved("printer", 3)]);
    assert!(ada.has_room_for(2) && !ada.has_room_for(3) && !ada.has_room_for(u32::MAX));
    assert!(agent(&[registered_with(None)]).has_room_for(u32::MAX));
}
