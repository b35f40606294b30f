//! As whom a key acts: its owner, by what their record says now.

use std::time::{Duration, Instant};

use agent_aggregate::Command as AgentCommand;
use desk::{NewKey, Scope};
use person_aggregate::{Command, Person};
use shared_kernel::testing::{person, team};
use shared_kernel::{Principal, Role};

use crate::cast::{ada, assign, follow, hour, lea, reply, root, teams_of};
use crate::keys::{create, of_agent, of_rita, refused, revoke, verified};
use crate::query::sees;
use crate::world::{World, eventually};

/// How old what is known of a remembered key's owner may be, and what a slow machine adds.
const LOOK_EVERY: Duration = Duration::from_secs(2);

#[tokio::test]
async fn teams_follow_agent_within_two_seconds() {
    let world = World::new().await;
    let beside = world.another().await;
    let key = create(&world, of_agent(Role::Agent, "ada"), 0).await;
    assert_eq!(verified(beside.keys(), &key.token, 0).await.teams, teams_of(&["hardware"]));
    world.change_agent("ada", AgentCommand::JoinTeam { team: team("network") }).await;
    let changed = Instant::now();
    let both = teams_of(&["hardware", "network"]);
    eventually("the teams are known", async || {
        let asked = Instant::now();
        let known = verified(beside.keys(), &key.token, 0).await.teams == both;
        assert!(known || asked < changed + LOOK_EVERY, "{:?} after the change", asked - changed);
        known.then_some(())
    })
    .await;
    // without a verification anew
    assert_eq!(beside.keys().verifications(), 1);
}

#[tokio::test]
async fn role_is_that_of_the_key() {
    let world = World::new().await;
    let (agent, lead) = (of_agent(Role::Agent, "ada"), of_agent(Role::Lead, "ada"));
    let (agent, lead) = (create(&world, agent, 0).await, create(&world, lead, 0).await);
    let keys = world.desk.keys();
    let (agent, lead) = (verified(keys, &agent.token, 0).await, verified(keys, &lead.token, 0).await);
    assert_eq!((agent.role, lead.role), (Role::Agent, Role::Lead));
    // one person, and one scope of idempotency keys
    assert_eq!(agent.scope(), lead.scope());
    let ticket = world.open().await;
    world.when(agent, ticket, assign("ben")).then_refused("assign_others").await;
    world.when(lead, ticket, assign("lea")).ok().await;
}

#[tokio::test]
async fn key_follows_merged_person() {
    let world = World::new().await;
    let key = create(&world, of_rita(), 0).await;
    let keys = world.desk.keys();
    assert!(verified(keys, &key.token, 0).await.merged.is_empty());
    world.desk.merge_people(person("rita"), person("finn"), world.call(root())).await.unwrap();
    let caller = eventually("the key is the other person's", async || {
        Some(verified(keys, &key.token, 0).await).filter(|caller| caller.person() == Some(person("finn")))
    })
    .await;
    assert_eq!(caller.merged, [person("rita")].into());
}

#[tokio::test]
async fn key_of_agent_follows_block_of_person() {
    let world = World::new().await;
    let key = create(&world, of_agent(Role::Agent, "ada"), 0).await;
    let block = Command::Block { reason: "left".into() };
    world.desk.change::<Person>(person("ada"), vec![block], world.call(root())).await.unwrap();
    assert_eq!(refused(world.another().await.keys(), &key.token, 0).await, "blocked");
}

#[tokio::test]
async fn key_acts_for_others_only_with_scope() {
    let world = World::new().await;
    let scopes = vec![Scope::ActForOthers];
    let with = create(&world, NewKey { scopes, ..of_agent(Role::Agent, "ada") }, 0).await;
    let without = create(&world, of_agent(Role::Agent, "ada"), 0).await;
    let keys = world.desk.keys();
    assert!(verified(keys, &with.token, 0).await.acts_for_others);
    assert!(!verified(keys, &without.token, 0).await.acts_for_others);
}

#[tokio::test]
async fn act_for_others_names_person_and_key() {
    let world = World::new().await;
    let scopes = vec![Scope::ActForOthers];
    let key = create(&world, NewKey { scopes, ..of_agent(Role::Agent, "ada") }, 0).await;
    let keys = world.desk.keys();
    let server = verified(keys, &key.token, 0).await;
    let rita: Principal = keys.on_behalf(&server, person("rita")).await.unwrap();
    assert_eq!((rita.role, rita.person(), rita.scope()), (Role::Requester, Some(person("rita")), of_person("rita")));
    assert_eq!((rita.via.as_deref(), rita.acts_for_others), (Some(key.id.as_str()), false));

    // what she may not see is not there for the server either
    let (own, other) = (world.open().await, world.opening(ada(), |_| {}).await.ok().await.id);
    assert!(sees(&world.desk, &rita, own).await && !sees(&world.desk, &rita, other).await);
    world.when(rita.clone(), own, follow("finn")).then_refused("forbidden").await;
    world.when(rita, own, reply("By the app.")).ok().await;
    let metadata = world.recorded(own).await[1].metadata().unwrap();
    let expected = serde_json::json!({"kind": "requester", "id": person("rita"), "via": key.id.as_str()});
    assert_eq!(metadata.extra["actor"], expected);
    assert_eq!(world.verify().await.findings, []);
}

#[tokio::test]
async fn act_for_merged_person_is_the_other() {
    let world = World::new().await;
    world.desk.merge_people(person("rita"), person("finn"), world.call(root())).await.unwrap();
    let on_behalf = world.desk.keys().on_behalf(&lea(), person("rita")).await.unwrap();
    assert_eq!((on_behalf.person(), on_behalf.merged.len()), (Some(person("finn")), 1));
    let unknown = world.desk.keys().on_behalf(&lea(), person("nobody")).await;
    assert!(matches!(unknown, Err(desk::AuthError::Invalid)), "{unknown:?}");
}

#[tokio::test]
async fn key_of_unknown_owner_is_invalid() {
    let world = World::new().await;
    let key = create(&world, NewKey::requester(person("nobody")), 0).await;
    assert_eq!(refused(world.desk.keys(), &key.token, 0).await, "invalid");
    assert!(world.desk.keys().verify(&key.token, hour(0)).await.is_err());
}

fn of_person(name: &str) -> String {
    format!("person:{}", person(name))
}

#[tokio::test(flavor = "multi_thread")]
async fn remembered_key_does_not_wait_for_a_locked_log() {
    let world = World::new().await;
    let beside = world.another().await;
    let key = create(&world, of_agent(Role::Agent, "ada"), 0).await;
    verified(beside.keys(), &key.token, 0).await;
    let mut lock = world.owner.begin().await.unwrap();
    sqlx::Executor::execute(&mut *lock, "lock table events").await.unwrap();
    let began = Instant::now();
    while began.elapsed() < 3 * LOOK_EVERY {
        let asked = Instant::now();
        verified(beside.keys(), &key.token, 0).await;
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    lock.rollback().await.unwrap();
    revoke(&world, &key.id, 1).await;
    eventually("the key is refused", async || beside.keys().verify(&key.token, hour(1)).await.err()).await;
}
