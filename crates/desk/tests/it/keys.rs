//! API keys: who is let in, and who is not.

use chrono::TimeDelta;
use desk::{AuthError, DeskError, KeyId, Keys, MintedKey, NewKey};
use shared_kernel::testing::{agent, person};
use shared_kernel::{Principal, Role};

use crate::cast::{hour, root, teams_of};
use crate::world::{World, eventually};

pub(crate) fn of_agent(role: Role, name: &str) -> NewKey {
    NewKey::staff(role, agent(name))
}

pub(crate) fn of_rita() -> NewKey {
    NewKey::requester(person("rita"))
}

pub(crate) async fn create(world: &World, key: NewKey, hours: i64) -> MintedKey {
    let mut call = world.call(root());
    call.now = hour(hours);
    world.desk.keys().create(key, call).await.unwrap()
}

pub(crate) async fn revoke(world: &World, id: &KeyId, hours: i64) {
    let mut call = world.call(root());
    call.now = hour(hours);
    world.desk.keys().revoke(id, call).await.unwrap();
}

/// Whoever calls with the token at an hour.
pub(crate) async fn verified(keys: &Keys, token: &str, hours: i64) -> Principal {
    (*keys.verify(token, hour(hours)).await.unwrap()).clone()
}

/// The code of the refusal at an hour.
pub(crate) async fn refused(keys: &Keys, token: &str, hours: i64) -> &'static str {
    match keys.verify(token, hour(hours)).await.unwrap_err() {
        AuthError::Malformed => "malformed",
        AuthError::Invalid => "invalid",
        AuthError::Blocked => "blocked",
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn key_of_agent_is_verified() {
    let world = World::new().await;
    let key = create(&world, of_agent(Role::Agent, "lea"), 0).await;
    let caller = verified(world.desk.keys(), &key.token, 0).await;
    assert_eq!((caller.role, caller.agent(), caller.person()), (Role::Agent, Some(agent("lea")), Some(person("lea"))));
    assert_eq!(caller.teams, teams_of(&["hardware", "network"]));
    assert_eq!((caller.name.as_deref(), caller.key.as_deref()), (Some("lea"), Some(key.id.as_str())));
    assert!(!caller.acts_for_others && caller.via.is_none());
}

#[tokio::test]
async fn key_of_requester_is_verified() {
    let world = World::new().await;
    let key = create(&world, of_rita(), 0).await;
    let caller = verified(world.desk.keys(), &key.token, 0).await;
    assert_eq!((caller.role, caller.person(), caller.agent()), (Role::Requester, Some(person("rita")), None));
    assert!(caller.teams.is_empty());
}

#[tokio::test]
async fn key_is_verified_by_every_desk() {
    let world = World::new().await;
    let key = create(&world, of_agent(Role::Lead, "lea"), 0).await;
    let beside = world.another().await;
    assert_eq!(verified(beside.keys(), &key.token, 0).await.agent(), Some(agent("lea")));
}

#[tokio::test]
async fn key_is_hashed_once() {
    let world = World::new().await;
    let key = create(&world, of_agent(Role::Lead, "lea"), 0).await;
    let beside = world.another().await;
    for _ in 0..3 {
        verified(beside.keys(), &key.token, 0).await;
    }
    assert_eq!(beside.keys().verifications(), 1);
}

#[tokio::test]
async fn key_with_wrong_form_is_malformed() {
    let world = World::new().await;
    let key = create(&world, of_agent(Role::Lead, "lea"), 0).await;
    let mistyped = format!("{}x", &key.token[..key.token.len() - 1]);
    for token in ["", "dk_", "secret", mistyped.as_str()] {
        assert_eq!(refused(world.desk.keys(), token, 0).await, "malformed", "{token}");
    }
}

#[tokio::test]
async fn key_with_wrong_secret_is_invalid() {
    let world = World::new().await;
    let one = create(&world, of_agent(Role::Agent, "ada"), 0).await;
    let other = create(&world, of_agent(Role::Admin, "root"), 0).await;
    // the id of one with the secret of the other, well-formed
    let secret = &other.token[other.token.rfind('_').unwrap() + 1..][..64];
    let forged = format!("dk_{}_{secret}", one.id);
    let forged = format!("{forged}{:08x}", crc32fast::hash(forged.as_bytes()));
    assert_eq!(refused(world.desk.keys(), &forged, 0).await, "invalid");
}

#[tokio::test]
async fn key_of_other_database_is_invalid() {
    let (world, other) = (World::new().await, World::new().await);
    let key = create(&other, of_agent(Role::Admin, "root"), 0).await;
    assert_eq!(refused(world.desk.keys(), &key.token, 0).await, "invalid");
}

#[tokio::test]
async fn revoked_key_is_invalid() {
    let world = World::new().await;
    let key = create(&world, of_agent(Role::Lead, "lea"), 0).await;
    revoke(&world, &key.id, 1).await;
    assert_eq!(refused(world.another().await.keys(), &key.token, 1).await, "invalid");
}

#[tokio::test]
async fn revocation_reaches_desk_that_remembers_key() {
    let world = World::new().await;
    let beside = world.another().await;
    let key = create(&world, of_agent(Role::Lead, "lea"), 0).await;
    verified(beside.keys(), &key.token, 0).await;
    revoke(&world, &key.id, 1).await;
    eventually("the key is refused", async || beside.keys().verify(&key.token, hour(1)).await.err()).await;
    assert_eq!(refused(beside.keys(), &key.token, 1).await, "invalid");
}

#[tokio::test]
async fn revocation_keeps_first_time() {
    let world = World::new().await;
    let key = create(&world, of_agent(Role::Lead, "lea"), 0).await;
    revoke(&world, &key.id, 1).await;
    revoke(&world, &key.id, 2).await;
    assert_eq!(world.desk.keys().list().await.unwrap()[0].revoked_at, Some(hour(1)));
}

#[tokio::test]
async fn unknown_key_is_not_revoked() {
    let world = World::new().await;
    let unknown = KeyId::parse("0123456789abcdef").unwrap();
    let refused = world.desk.keys().revoke(&unknown, world.call(root())).await.unwrap_err();
    assert!(matches!(refused, DeskError::NoSuchRecord { kind: "API key" }), "{refused:?}");
    let refused = world.desk.keys().rotate(&unknown, TimeDelta::hours(1), world.call(root())).await.unwrap_err();
    assert!(matches!(refused, DeskError::NoSuchRecord { kind: "API key" }), "{refused:?}");
}

#[tokio::test]
async fn keys_are_listed_oldest_first() {
    let world = World::new().await;
    let keys = world.desk.keys();
    assert!(keys.is_empty().await.unwrap());
    create(&world, of_agent(Role::Lead, "lea"), 2).await;
    create(&world, of_agent(Role::Agent, "ada"), 1).await;
    create(&world, of_rita(), 3).await;
    assert!(!keys.is_empty().await.unwrap());
    let listed = keys.list().await.unwrap();
    let rows: Vec<_> = listed
        .iter()
        .map(|key| (key.role, key.owner_name.as_str(), key.teams.len(), key.created_at, key.revoked_at))
        .collect();
    let ada = (Role::Agent, "ada", 1, hour(1), None);
    let lea = (Role::Lead, "lea", 2, hour(2), None);
    assert_eq!(rows, [ada, lea, (Role::Requester, "rita@example.com", 0, hour(3), None)]);
}

#[tokio::test]
async fn secret_is_not_stored() {
    let world = World::new().await;
    let key = create(&world, of_agent(Role::Lead, "lea"), 0).await;
    let secret = &key.token[key.token.rfind('_').unwrap() + 1..][..64];
    for rows in [
        "select row_to_json(k)::text from api_key_secrets k",
        "select payload::text from events e order by position desc",
    ] {
        let row: String = sqlx::query_scalar(rows).fetch_one(&world.owner).await.unwrap();
        assert!(!row.contains(secret), "{row}");
    }
    let row = "select row_to_json(k)::text from api_key_secrets k";
    let row: String = sqlx::query_scalar(row).fetch_one(&world.owner).await.unwrap();
    assert!(row.contains(key.id.as_str()), "{row}");
}
