//! Membership in teams.

use agent_aggregate::{Command, Event, Presence, Rejection, limits};
use shared_kernel::testing::{team, ticket};

use crate::scenario::{agent, given, joined, left, presence_changed, registered, reserved};

fn join(name: &str) -> Command {
    Command::JoinTeam { team: team(name) }
}
fn leave(name: &str) -> Command {
    Command::LeaveTeam { team: team(name) }
}

#[test]
fn join_and_leave_team() {
    let member = given([registered()]).when(join("hardware"), ()).then([joined("hardware")]);
    let former = member.when(leave("hardware"), ()).then([left("hardware")]);
    former.when(join("hardware"), ()).then([joined("hardware")]);
}

#[test]
fn join_twice_records_nothing() {
    given([registered(), joined("hardware")]).when(join("hardware"), ()).then_nothing();
}

#[test]
fn leave_other_team_records_nothing() {
    given([registered(), joined("hardware")]).when(leave("network"), ()).then_nothing();
}

#[test]
fn team_limit() {
    let full: Vec<Event> =
        [registered()].into_iter().chain((0..limits::TEAMS).map(|n| joined(&n.to_string()))).collect();
    given(full.clone()).when(join("one more"), ()).then_rejected(Rejection::TooManyTeams { limit: 100 });
    given(full.clone()).when(join("7"), ()).then_nothing();
    given(full).when(leave("7"), ()).then([left("7")]).when(join("one more"), ()).then([joined("one more")]);
}

#[test]
fn leave_team_keeps_slots() {
    let former = agent(&[registered(), joined("hardware"), reserved("printer", 2), left("hardware")]);
    assert_eq!(former.slots.get(&ticket("printer")), Some(&2));
}

#[test]
fn available_for_own_teams_and_none() {
    let ada = agent(&[registered(), joined("hardware")]);
    assert!(ada.is_available_for(Some(team("hardware"))));
    assert!(ada.is_available_for(None));
    assert!(!ada.is_available_for(Some(team("network"))));
}

#[test]
fn available_unless_offline() {
    for presence in [Presence::Away, Presence::Offline] {
        let ada = agent(&[registered(), joined("hardware"), presence_changed(Presence::Online, presence)]);
        let available = presence == Presence::Away;
        assert_eq!(ada.is_available_for(Some(team("hardware"))), available);
        assert_eq!(ada.is_available_for(None), available);
    }
}
