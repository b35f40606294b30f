//! API keys.

use desk::{AuthError, KeyId, Keys, MintedKey, NewKey};
use shared_kernel::Role;

use crate::people::{RITA, hour, teams_of};
use crate::world::{World, eventually};

fn staff(role: Role, name: &str, teams: &[&str]) -> NewKey {
    NewKey::staff(role, name, teams_of(teams)).unwrap()
}

async fn create(world: &World, key: &NewKey, hours: i64) -> MintedKey {
    world.desk.keys().create(key, hour(hours)).await.unwrap()
}

/// The code of the refusal.
async fn refused(keys: &Keys, token: &str) -> &'static str {
    match keys.verify(token).await.unwrap_err() {
        AuthError::Malformed => "malformed",
        AuthError::Invalid => "invalid",
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn key_of_agent_is_verified() {
    let world = World::new().await;
    let key = create(&world, &staff(Role::Agent, "ada", &["hardware", "network"]), 0).await;
    let caller = world.desk.keys().verify(&key.token).await.unwrap();
    assert_eq!((caller.role, caller.id.as_str(), &caller.name), (Role::Agent, "ada", &None));
    assert_eq!(caller.teams, teams_of(&["hardware", "network"]));
    assert_eq!(caller.scope, key.id.to_string());
}

#[tokio::test]
async fn key_of_requester_is_verified() {
    let world = World::new().await;
    let key = create(&world, &NewKey::requester("Rita@Example.com", Some("Rita")).unwrap(), 0).await;
    let caller = world.desk.keys().verify(&key.token).await.unwrap();
    assert_eq!((caller.role, caller.id.as_str(), caller.name.as_deref()), (Role::Requester, RITA, Some("Rita")));
}

#[tokio::test]
async fn key_is_verified_by_every_desk() {
    let world = World::new().await;
    let key = create(&world, &staff(Role::Lead, "lea", &[]), 0).await;
    let beside = world.another().await;
    assert_eq!(beside.keys().verify(&key.token).await.unwrap().id, "lea");
}

#[tokio::test]
async fn key_is_hashed_once() {
    let world = World::new().await;
    let key = create(&world, &staff(Role::Lead, "lea", &[]), 0).await;
    let beside = world.another().await;
    for _ in 0..3 {
        beside.keys().verify(&key.token).await.unwrap();
    }
    assert_eq!(beside.keys().verifications(), 1);
}

#[tokio::test]
async fn key_with_wrong_form_is_malformed() {
    let world = World::new().await;
    let key = create(&world, &staff(Role::Lead, "lea", &[]), 0).await;
    let mistyped = format!("{}x", &key.token[..key.token.len() - 1]);
    for token in ["", "dk_", "secret", mistyped.as_str()] {
        assert_eq!(refused(world.desk.keys(), token).await, "malformed", "{token}");
    }
}

#[tokio::test]
async fn key_with_wrong_secret_is_invalid() {
    let world = World::new().await;
    let (one, other) = (staff(Role::Agent, "ada", &[]), staff(Role::Admin, "root", &[]));
    let (one, other) = (create(&world, &one, 0).await, create(&world, &other, 0).await);
    // the id of one with the secret of the other, well-formed
    let secret = &other.token[other.token.rfind('_').unwrap() + 1..][..64];
    let forged = format!("dk_{}_{secret}", one.id);
    let forged = format!("{forged}{:08x}", crc32fast::hash(forged.as_bytes()));
    assert_eq!(refused(world.desk.keys(), &forged).await, "invalid");
}

#[tokio::test]
async fn key_of_other_database_is_invalid() {
    let (world, other) = (World::new().await, World::new().await);
    let key = create(&other, &staff(Role::Admin, "root", &[]), 0).await;
    assert_eq!(refused(world.desk.keys(), &key.token).await, "invalid");
}

#[tokio::test]
async fn revoked_key_is_invalid() {
    let world = World::new().await;
    let key = create(&world, &staff(Role::Lead, "lea", &[]), 0).await;
    assert!(world.desk.keys().revoke(&key.id, hour(1)).await.unwrap());
    assert_eq!(refused(world.another().await.keys(), &key.token).await, "invalid");
}

#[tokio::test]
async fn revocation_reaches_desk_that_remembers_key() {
    let world = World::new().await;
    let beside = world.another().await;
    let key = create(&world, &staff(Role::Lead, "lea", &[]), 0).await;
    beside.keys().verify(&key.token).await.unwrap();
    world.desk.keys().revoke(&key.id, hour(1)).await.unwrap();
    eventually("the key is refused", async || beside.keys().verify(&key.token).await.err()).await;
    assert_eq!(refused(beside.keys(), &key.token).await, "invalid");
}

#[tokio::test]
async fn revocation_keeps_first_time() {
    let world = World::new().await;
    let keys = world.desk.keys();
    let key = create(&world, &staff(Role::Lead, "lea", &[]), 0).await;
    assert!(keys.revoke(&key.id, hour(1)).await.unwrap());
    assert!(keys.revoke(&key.id, hour(2)).await.unwrap());
    assert_eq!(keys.list().await.unwrap()[0].revoked_at, Some(hour(1)));
}

#[tokio::test]
async fn unknown_key_is_not_revoked() {
    let world = World::new().await;
    let unknown = KeyId::parse("0123456789abcdef").unwrap();
    assert!(!world.desk.keys().revoke(&unknown, hour(1)).await.unwrap());
}

#[tokio::test]
async fn keys_are_listed_oldest_first() {
    let world = World::new().await;
    let keys = world.desk.keys();
    assert!(keys.is_empty().await.unwrap());
    create(&world, &staff(Role::Lead, "lea", &[]), 2).await;
    create(&world, &staff(Role::Agent, "ada", &["hardware"]), 1).await;
    create(&world, &NewKey::requester(RITA, Some("Rita")).unwrap(), 3).await;
    assert!(!keys.is_empty().await.unwrap());
    let listed: Vec<_> = keys
        .list()
        .await
        .unwrap()
        .into_iter()
        .map(|key| (key.role, key.name, key.actor, key.teams.concat(), key.created_at, key.revoked_at))
        .collect();
    let row = |role, name: &str, actor: &str, teams: &str, at| {
        (role, name.to_owned(), actor.to_owned(), teams.to_owned(), hour(at), None)
    };
    let ada = row(Role::Agent, "ada", "ada", "hardware", 1);
    let lea = row(Role::Lead, "lea", "lea", "", 2);
    assert_eq!(listed, [ada, lea, row(Role::Requester, "Rita", RITA, "", 3)]);
}

#[tokio::test]
async fn secret_is_not_stored() {
    let world = World::new().await;
    let key = create(&world, &staff(Role::Lead, "lea", &[]), 0).await;
    let row: String =
        sqlx::query_scalar("select row_to_json(k)::text from api_keys k").fetch_one(&world.owner).await.unwrap();
    let secret = &key.token[key.token.rfind('_').unwrap() + 1..][..64];
    assert!(row.contains(key.id.as_str()) && !row.contains(secret), "{row}");
}
