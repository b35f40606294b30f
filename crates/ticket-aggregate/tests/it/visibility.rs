//! Who may see a ticket.

use shared_kernel::testing::{requester, staff};
use shared_kernel::{Actor, Principal, Role};

use crate::scenario::{assigned, followed, opened, person, requester_changed, team, ticket};

fn in_team(mut principal: Principal, name: &str) -> Principal {
    principal.teams.insert(team(name));
    principal
}

#[test]
fn requester_sees_own_and_followed() {
    let (rita, finn) = (Principal::new(requester("rita")), Principal::new(requester("finn")));
    let own = ticket(&[opened()]);
    assert!(own.is_visible_to(&rita) && !own.is_visible_to(&finn));
    assert!(ticket(&[opened(), followed("finn")]).is_visible_to(&finn));
    let changed = ticket(&[opened(), requester_changed(Some("rita"), "finn")]);
    assert!(changed.is_visible_to(&finn) && !changed.is_visible_to(&rita));
}

#[test]
fn merged_person_counts() {
    let mut finn = requester("finn");
    finn.merged.insert(person("rita"));
    assert!(ticket(&[opened()]).is_visible_to(&Principal::new(finn.clone())));
    let follows = ticket(&[opened(), requester_changed(Some("rita"), "gus"), followed("rita")]);
    assert!(follows.is_followed_by(&finn) && !follows.is_requested_by(&finn));
    assert!(follows.is_visible_to(&Principal::new(finn)));
}

#[test]
fn agent_sees_team_own_and_followed() {
    let ada = Principal::new(staff(Role::Agent, "ada"));
    let queued = ticket(&[opened()]);
    assert!(!queued.is_visible_to(&ada) && !queued.is_visible_to(&in_team(ada.clone(), "network")));
    assert!(queued.is_visible_to(&in_team(ada.clone(), "hardware")));
    assert!(ticket(&[opened(), assigned("ada")]).is_visible_to(&ada));
    assert!(!ticket(&[opened(), assigned("bob")]).is_visible_to(&ada));
    assert!(ticket(&[opened(), followed("ada")]).is_visible_to(&ada));
    let mut triage = queued;
    triage.team = None;
    assert!(triage.is_visible_to(&ada));
}

#[test]
fn leads_and_system_see_all() {
    for actor in [staff(Role::Lead, "lea"), staff(Role::Admin, "root"), Actor::system("timers")] {
        assert!(ticket(&[opened()]).is_visible_to(&Principal::new(actor)));
    }
}

#[test]
fn requesters_see_the_public_view() {
    let ticket = ticket(&[opened(), followed("finn")]);
    let seen = |actor| ticket.seen_by(&Principal::new(actor)).into_owned();
    assert_eq!(seen(requester("rita")), ticket.public_view());
    assert_eq!(seen(staff(Role::Agent, "ada")), ticket);
}
