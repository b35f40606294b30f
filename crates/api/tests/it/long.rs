//! Tickets with a long history: snapshots shorten the way, and change nothing.

use serde_json::json;

use crate::world::{World, eventually};

#[tokio::test]
async fn a_long_ticket_reads_the_same_with_snapshots_as_without() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    for n in 0..250 {
        let priority = if n % 2 == 0 { "high" } else { "low" };
        admin.command(&ticket, "prioritize", &json!({"priority": priority})).await.ok(200);
    }
    let pool = sqlx::PgPool::connect(world.database.url()).await.unwrap();
    let kept = async || -> i64 { sqlx::query_scalar("select count(*) from snapshots").fetch_one(&pool).await.unwrap() };
    eventually("snapshots are kept", async || (kept().await == 2).then_some(())).await;

    // a process that knows nothing yet reads it by the snapshots, and without them by all of its events
    let read = async |version: i64| {
        let server = world.another().await;
        let client = server.client(admin.token.clone());
        let answer = client.get(&format!("{ticket}?version={version}")).await.ok(200).body;
        server.stopped().await;
        answer
    };
    let versions = [99, 100, 150, 200, 251];
    let mut with = Vec::new();
    for version in versions {
        with.push(read(version).await);
    }
    // one that can't be read is passed over
    sqlx::query("update snapshots set state = '{}' where version = 200").execute(&pool).await.unwrap();
    assert_eq!(read(251).await, with[4]);
    sqlx::query("delete from snapshots").execute(&pool).await.unwrap();
    for (version, with) in versions.into_iter().zip(with) {
        assert_eq!(read(version).await, with, "at version {version}");
    }
}
