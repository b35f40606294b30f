//! Teams: who may have a ticket follows from the agents' own records.

use agent_aggregate::Command;
use settings_aggregate::{SettingName, TeamDocument};
use shared_kernel::testing::team;

use crate::cast::{ada, assign, ben, follow, lea, resolve, root, route};
use crate::setup::handle;
use crate::when::refusal;
use crate::world::World;

#[tokio::test]
async fn assign_requires_team_membership() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(lea(), ticket, assign("ben")).then_refused("not_team_member").await;
    assert_eq!(world.events(ticket).await, ["opened"]);
    world.when(lea(), ticket, route("network")).ok().await;
    assert_eq!(world.when(lea(), ticket, assign("ben")).ok().await.version, 3);
}

#[tokio::test]
async fn assign_requires_registered_agent() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(lea(), ticket, assign("nobody")).then_refused("no_such_agent").await;
    assert_eq!(world.events(ticket).await, ["opened"]);
}

#[tokio::test]
async fn assign_without_team_checks_no_membership() {
    let world = World::new().await;
    let ticket = world.opening(lea(), |open| open.team = None).await.ok().await.id;
    assert_eq!(world.when(lea(), ticket, assign("ben")).ok().await.version, 2);
}

/// A rank is no membership.
#[tokio::test]
async fn assign_refuses_admin_outside_team() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(root(), ticket, assign("root")).then_refused("not_team_member").await;
    world.change_agent("root", Command::JoinTeam { team: team("hardware") }).await;
    assert_eq!(world.when(root(), ticket, assign("root")).ok().await.version, 2);
}

#[tokio::test]
async fn assign_follows_membership_changed_elsewhere() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    world.when(lea(), ticket, assign("ben")).on(&beside).then_refused("not_team_member").await;
    world.change_agent("ben", Command::JoinTeam { team: team("hardware") }).await;
    world.when(lea(), ticket, assign("ben")).on(&beside).ok().await;
    world.change_agent("ben", Command::LeaveTeam { team: team("hardware") }).await;
    let other = world.open().await;
    world.when(lea(), other, assign("ben")).on(&beside).then_refused("not_team_member").await;
}

#[tokio::test]
async fn resolve_takes_ticket_only_as_team_member() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    // a follower sees the ticket of another team
    world.when(ada(), ticket, follow("ben")).ok().await;
    world.when(ben(), ticket, resolve()).then_refused("not_team_member").await;
    world.change_agent("ben", Command::JoinTeam { team: team("hardware") }).await;
    world.when(ben(), world.open().await, resolve()).then_refused("not_found").await;
    // the other process still knows him as a member
    world.when(ben(), ticket, follow("finn")).on(&beside).ok().await;
    let of_beside =
        beside.record::<agent_aggregate::Agent>(shared_kernel::testing::agent("ben"), desk::AsOf::Now).await;
    assert_eq!(of_beside.unwrap().state.teams.len(), 2);
    world.change_agent("ben", Command::LeaveTeam { team: team("hardware") }).await;
    world.when(ben(), ticket, resolve()).on(&beside).then_refused("not_team_member").await;
    assert_eq!(world.when(ada(), ticket, resolve()).ok().await.events, 2);
}

#[tokio::test]
async fn agents_assign_only_themselves() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, assign("ben")).then_refused("assign_others").await;
    assert_eq!(world.when(ada(), ticket, assign("ada")).ok().await.version, 2);
}

#[tokio::test]
async fn team_handle_is_unique() {
    let world = World::new().await;
    let name = || SettingName::parse("Hardware").unwrap();
    let create = world.desk.create_team(handle("hardware"), name(), TeamDocument::default(), world.call(root()));
    assert_eq!(refusal(create.await.unwrap_err()).code, "team-handle_used");
    let ensured = world.desk.ensure_team(&handle("hardware"), world.call(root())).await.unwrap();
    assert_eq!((ensured, world.head().await), (team("hardware"), 0));
}

#[tokio::test]
async fn same_team_ensured_at_once_is_one() {
    let world = World::new().await;
    let beside = world.another().await;
    let handle = handle("facilities");
    let held = world.hold_appends().await;
    let (one, other, ()) = tokio::join!(
        world.desk.ensure_team(&handle, world.call(root())),
        beside.ensure_team(&handle, world.call(root())),
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(world.head().await, 1);
}
