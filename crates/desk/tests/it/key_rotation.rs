//! How long a key is accepted: expiry, rotation, and what survives a rotation.

use chrono::TimeDelta;
use desk::{DeskError, Idempotency, KeyId, MintedKey, NewKey};
use shared_kernel::Role;

use crate::cast::{hour, note, root};
use crate::keys::{create, of_agent, refused, revoke, verified};
use crate::when::refusal;
use crate::world::{World, eventually};

async fn rotate(world: &World, id: &KeyId, hours: i64, overlap: i64) -> Result<MintedKey, DeskError> {
    let mut call = world.call(root());
    call.now = hour(hours);
    world.desk.keys().rotate(id, TimeDelta::hours(overlap), call).await
}

#[tokio::test]
async fn expired_key_is_invalid() {
    let world = World::new().await;
    let key = NewKey { expires_at: Some(hour(5)), ..of_agent(Role::Agent, "ada") };
    let key = create(&world, key, 0).await;
    verified(world.desk.keys(), &key.token, 4).await;
    assert_eq!(refused(world.another().await.keys(), &key.token, 5).await, "invalid");
    // also where it is remembered
    let keys = world.desk.keys();
    eventually("the key is refused", async || keys.verify(&key.token, hour(5)).await.err()).await;
    assert_eq!(keys.list().await.unwrap()[0].expires_at, Some(hour(5)));
}

#[tokio::test]
async fn rotation_overlaps() {
    let world = World::new().await;
    let first = create(&world, of_agent(Role::Agent, "ada"), 0).await;
    let second = rotate(&world, &first.id, 1, 2).await.unwrap();
    assert_eq!(second.id, first.id);
    assert_ne!(second.token, first.token);
    let beside = world.another().await;
    for token in [&first.token, &second.token] {
        verified(beside.keys(), token, 2).await;
    }
    let later = world.another().await;
    assert_eq!(refused(later.keys(), &first.token, 3).await, "invalid");
    verified(later.keys(), &second.token, 3).await;
    assert_eq!(world.verify().await.findings, []);
}

/// A second rotation does not lengthen the life of the first secret.
#[tokio::test]
async fn rotation_without_overlap_ends_all_before() {
    let world = World::new().await;
    let first = create(&world, of_agent(Role::Agent, "ada"), 0).await;
    let second = rotate(&world, &first.id, 1, 9).await.unwrap();
    let third = rotate(&world, &first.id, 2, 0).await.unwrap();
    let beside = world.another().await;
    for token in [&first.token, &second.token] {
        assert_eq!(refused(beside.keys(), token, 2).await, "invalid");
    }
    verified(beside.keys(), &third.token, 2).await;
}

#[tokio::test]
async fn rotation_keeps_expiry_and_is_refused_once_revoked() {
    let world = World::new().await;
    let key = NewKey { expires_at: Some(hour(5)), ..of_agent(Role::Agent, "ada") };
    let key = create(&world, key, 0).await;
    let rotated = rotate(&world, &key.id, 1, 1).await.unwrap();
    assert_eq!(refused(world.desk.keys(), &rotated.token, 5).await, "invalid");
    revoke(&world, &key.id, 2).await;
    let error = rotate(&world, &key.id, 3, 1).await.unwrap_err();
    assert_eq!(refusal(error).code, "revoked");
    assert_eq!(refused(world.another().await.keys(), &rotated.token, 3).await, "invalid");
}

#[tokio::test]
async fn rotations_at_once_leave_one_newest_secret() {
    let world = World::new().await;
    let beside = world.another().await;
    let key = create(&world, of_agent(Role::Agent, "ada"), 0).await;
    let overlap = TimeDelta::hours(1);
    let held = world.hold_appends().await;
    let (one, other, ()) = tokio::join!(
        world.desk.keys().rotate(&key.id, overlap, world.call(root())),
        beside.keys().rotate(&key.id, overlap, world.call(root())),
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    let (mut made, mut codes) = (Vec::new(), Vec::new());
    for outcome in [one, other] {
        match outcome {
            Ok(key) => made.push(key),
            Err(error) => codes.push(refusal(error).code),
        }
    }
    assert_eq!((made.len(), codes), (1, vec!["rotated_meanwhile".to_owned()]));
    verified(world.desk.keys(), &made[0].token, 0).await;
    // what the refused one left proves nothing
    assert_eq!(world.verify().await.findings, []);
}

#[tokio::test]
async fn idempotency_scope_survives_rotation() {
    let world = World::new().await;
    let ticket = world.open().await;
    let first = create(&world, of_agent(Role::Agent, "ada"), 0).await;
    let caller = verified(world.desk.keys(), &first.token, 0).await;
    let noted = world.when(caller, ticket, note("once")).key("k", "f").ok().await;
    // the client's retry comes with the key's new secret, or with another key of hers
    let rotated = rotate(&world, &first.id, 0, 0).await.unwrap();
    let another = create(&world, of_agent(Role::Lead, "ada"), 0).await;
    for token in [&rotated.token, &another.token] {
        let caller = verified(world.desk.keys(), token, 0).await;
        let again = world.when(caller, ticket, note("once")).key("k", "f").ok().await;
        assert_eq!((again.version, again.replayed), (noted.version, Some(201)));
    }
    assert_eq!(world.events(ticket).await.len(), 2);
}

/// Nobody has the token but who got the first answer: a second one must not look as if it were valid.
#[tokio::test]
async fn retried_creation_has_no_token() {
    let world = World::new().await;
    let call = || {
        let mut call = world.call(root());
        call.idempotency = Some(Idempotency { key: "k".into(), fingerprint: "f".into(), status: 201 });
        call
    };
    let keys = world.desk.keys();
    let key = keys.create(of_agent(Role::Agent, "ada"), call()).await.unwrap();
    let error = keys.create(of_agent(Role::Agent, "ada"), call()).await.unwrap_err();
    assert_eq!(refusal(error).code, "token_shown_before");
    verified(keys, &key.token, 0).await;
    assert_eq!((keys.list().await.unwrap().len(), world.head().await), (1, 1));
}

/// Its secret was kept, and then its record could not be: such a key is none.
#[tokio::test]
async fn key_without_record_is_none() {
    let world = World::new().await;
    let row = "insert into api_key_secrets values ('0123456789abcdef', 'x', 1, now())";
    sqlx::query(row).execute(&world.owner).await.unwrap();
    let keys = world.desk.keys();
    assert!(keys.is_empty().await.unwrap());
    assert_eq!(keys.list().await.unwrap(), []);
    assert_eq!(world.verify().await.findings, []);
}
