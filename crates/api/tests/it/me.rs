//! `GET /v1/me`, and who sees which events.

use serde_json::{Value, json};

use crate::client::Client;
use crate::world::World;

#[tokio::test]
async fn caller_is_told_who_they_are() {
    let world = World::new().await;
    let ada = world.agent("ada", &["facilities"]).await;
    let (agent, person) = (world.agent_id("ada", &[]).await.to_string(), world.person_of("ada").await.to_string());
    let key = |client: &Client| client.token.as_ref().unwrap()[3..19].to_owned();
    let answer = ada.get("/v1/me").await.ok(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let expected = json!({
        "role": "agent", "person_id": person, "name": "ada", "agent": {"id": agent, "handle": "ada"},
        "teams": ["facilities"], "key_id": key(&ada), "acts_for_others": false,
    });
    assert_eq!(answer.json(), expected);
    let product = world.product().await;
    assert_eq!(product.get("/v1/me").await.ok(200).json()["acts_for_others"], true);
    let acting = product.get("/v1/me").header("docket-on-behalf-of", "grace@example.com").await.ok(200).json();
    let grace = world.person("grace@example.com").await.to_string();
    let expected = json!({
        "role": "requester", "person_id": grace, "name": null, "agent": null, "teams": [], "key_id": key(&product),
        "acts_for_others": false,
    });
    assert_eq!(acting, expected);
    world.anyone().get("/v1/me").await.problem(401, "unauthorized");
}

async fn seen(client: &Client, query: &str) -> Vec<String> {
    let page = client.get(&format!("/v1/events?limit=200{query}")).await.ok(200).json();
    assert!(page["next_cursor"].is_null());
    let mut types: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    types.sort();
    types.dedup();
    types
}

#[tokio::test]
async fn events_of_records_are_for_staff_and_those_of_keys_for_admins() {
    let world = World::new().await;
    let (admin, ada) = (world.admin().await, world.agent("ada", &["facilities"]).await);
    let grace = world.requester("grace@example.com").await;
    grace.open(&json!({})).await;
    let of_records =
        ["agent.joined_team", "agent.registered", "person.identity_added", "person.registered", "team.created"];
    let of_staff = [&of_records[..], &["ticket.opened"]].concat();
    let of_admins = [&of_records[..2], &["api_key.created"], &of_records[2..], &["ticket.opened"]].concat();
    assert_eq!(seen(&admin, "").await, of_admins);
    assert_eq!(seen(&ada, "").await, of_staff);
    assert_eq!(seen(&grace, "").await, ["ticket.opened"]);
    assert_eq!(seen(&ada, "&type=team.created,person.registered").await, ["person.registered", "team.created"]);
    assert_eq!(seen(&ada, "&type=api_key.created").await, Vec::<String>::new());
    assert_eq!(seen(&grace, "&type=person.registered").await, Vec::<String>::new());
    let created = admin.get("/v1/events?type=team.created").await.ok(200).json()["items"][0].clone();
    assert_eq!(created["subject"], world.team("facilities").await.to_string());
    assert_eq!((&created["data"]["handle"], &created["streamversion"]), (&json!("facilities"), &json!(1)));
    assert_eq!(created["actorid"], Value::from("tests"));
}
