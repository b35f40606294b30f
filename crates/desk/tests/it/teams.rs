//! Whether an assignee is in the ticket's team is known from API keys.

use crate::people::{ada, assign, caller, follow, hour, lea, resolve, route};
use crate::world::World;
use shared_kernel::Role;

#[tokio::test]
async fn assign_requires_team_membership() {
    let world = World::new().await;
    world.key(Role::Agent, "ben", &["network"]).await;
    let ticket = world.open().await;
    world.when(lea(), ticket, assign("ben")).then_refused("not_team_member").await;
    assert_eq!(world.events(ticket).await, ["opened"]);
    world.when(lea(), ticket, route("network")).ok().await;
    assert_eq!(world.when(lea(), ticket, assign("ben")).ok().await.version, 3);
}

#[tokio::test]
async fn assign_accepts_unknown_agent() {
    let world = World::new().await;
    let ticket = world.open().await;
    assert_eq!(world.when(lea(), ticket, assign("nobody")).ok().await.version, 2);
}

#[tokio::test]
async fn assign_without_team_checks_no_membership() {
    let world = World::new().await;
    world.key(Role::Agent, "ben", &["network"]).await;
    let ticket = world.opening(lea(), |open| open.team = None).await.ok().await.id;
    assert_eq!(world.when(lea(), ticket, assign("ben")).ok().await.version, 2);
}

#[tokio::test]
async fn assign_accepts_leads_in_every_team() {
    let world = World::new().await;
    world.key(Role::Lead, "mia", &["network"]).await;
    let ticket = world.open().await;
    assert_eq!(world.when(lea(), ticket, assign("mia")).ok().await.version, 2);
}

#[tokio::test]
async fn assign_joins_teams_of_all_keys() {
    let world = World::new().await;
    world.key(Role::Agent, "ben", &["network"]).await;
    world.key(Role::Agent, "ben", &["hardware"]).await;
    let ticket = world.open().await;
    assert_eq!(world.when(lea(), ticket, assign("ben")).ok().await.version, 2);
}

#[tokio::test]
async fn assign_ignores_revoked_keys() {
    let world = World::new().await;
    world.key(Role::Agent, "ben", &["network"]).await;
    let revoked = world.key(Role::Agent, "ben", &["hardware"]).await;
    assert!(world.desk.keys().revoke(&revoked, hour(1)).await.unwrap());
    let ticket = world.open().await;
    world.when(lea(), ticket, assign("ben")).then_refused("not_team_member").await;
}

#[tokio::test]
async fn resolve_takes_ticket_only_as_team_member() {
    let world = World::new().await;
    world.key(Role::Agent, "ben", &["network"]).await;
    let ticket = world.open().await;
    // a follower sees the ticket of another team
    world.when(ada(), ticket, follow("ben")).ok().await;
    let ben = caller(Role::Agent, "ben", &["network"]);
    world.when(ben, ticket, resolve()).then_refused("not_team_member").await;
    world.key(Role::Agent, "ada", &["hardware"]).await;
    assert_eq!(world.when(ada(), ticket, resolve()).ok().await.events, 2);
}

#[tokio::test]
async fn agents_assign_only_themselves() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, assign("ben")).then_refused("assign_others").await;
    assert_eq!(world.when(ada(), ticket, assign("ada")).ok().await.version, 2);
}
