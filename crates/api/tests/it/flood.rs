//! A flood of wrong keys: argon2id is no lever.

use serde_json::json;

use crate::access::crc32;
use crate::world::World;

/// A token of a known id with a secret of one's own and a checksum that fits.
fn forged(id: &str, n: u32) -> String {
    let body = format!("dk_{id}_{:064x}", u128::from(n) << 64 | 0x1234_5678_9abc_def0);
    format!("{body}{:08x}", crc32(body.as_bytes()))
}

#[tokio::test]
async fn wrong_secrets_of_a_known_key_are_told_without_argon2id() {
    let world = World::new().await;
    let good = world.admin().await;
    let id = good.token.as_ref().unwrap()[3..19].to_owned();
    let keys = world.server.desk.keys();
    let before = keys.verifications();
    for n in 0..500 {
        world.server.client(Some(forged(&id, n))).get("/v1/tickets").await.problem(401, "unauthorized");
    }
    // of 500 secrets one passes the sieve with a probability of 0.8 %, two with 0.003 %
    assert!(keys.verifications() - before <= 2, "{}", keys.verifications() - before);
    // and its owner, who has not been seen by this process yet, is let in
    let before = keys.verifications();
    good.open(&json!({})).await;
    assert_eq!(keys.verifications() - before, 1);
    good.get("/v1/tickets").await.ok(200);
    assert_eq!(keys.verifications() - before, 1, "it is remembered");
}

#[tokio::test]
async fn who_comes_first_in_the_middle_of_a_flood_of_unknown_ids_is_let_in() {
    let world = World::new().await;
    let newcomer = world.admin().await;
    let flood = (0..64_u32).map(|n| {
        let client = world.server.client(Some(forged(&format!("{n:016x}"), n)));
        tokio::spawn(async move {
            for _ in 0..20 {
                client.get("/v1/tickets").await.problem(401, "unauthorized");
            }
        })
    });
    let flood = flood.collect::<Vec<_>>();
    let before = world.server.desk.keys().verifications();
    newcomer.get("/v1/tickets").await.ok(200);
    for task in flood {
        task.await.unwrap();
    }
    assert_eq!(world.server.desk.keys().verifications() - before, 1, "unknown ids cost none");
}
