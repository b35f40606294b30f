//! What a ticket may have of one thing.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_ticket_has_at_most_100_tags_followers_and_links() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    let full = |answer: crate::client::Answer, rule: &str| {
        let refused = answer.problem(409, "command_refused");
        assert_eq!(refused["details"]["rule"], rule);
        assert!(refused["detail"].as_str().unwrap().contains("at most 100"), "{refused}");
    };

    let tags = (0..100).map(|n| format!("tag-{n}")).collect::<Vec<_>>();
    admin.command(&ticket, "tags", &json!({"tags": tags})).await.ok(200);
    full(admin.command(&ticket, "tags", &json!({"tags": ["one more"]})).await, "too_many_tags");

    let follow = async |n: usize| {
        let follower = world.person(&format!("{n}@example.com")).await.to_string();
        admin.command(&ticket, "followers", &json!({"follower": follower})).await
    };
    for n in 0..100 {
        follow(n).await.ok(200);
    }
    follow(7).await.ok(200);
    full(follow(100).await, "too_many_followers");

    let link = async |from: &str, to: &str| {
        let other = to.rsplit('/').next().unwrap();
        admin.command(from, "link", &json!({"kind": "relates_to", "other": other})).await
    };
    for _ in 0..100 {
        let other = admin.open(&json!({})).await;
        link(&ticket, &other).await.ok(200);
    }
    let other = admin.open(&json!({})).await;
    full(link(&ticket, &other).await, "too_many_links");
    // a link is on both tickets: it is refused from the other side as well, and nothing is recorded on either
    full(link(&other, &ticket).await, "too_many_links");
    assert_eq!(admin.version(&other).await, 1);
}
