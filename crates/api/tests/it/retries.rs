//! Retries after something happened in between: a restart, the ticket's life, the loss of its sight.

use std::sync::Arc;

use serde_json::json;

use crate::client::Client;
use crate::idempotency::assert_replayed;
use crate::world::World;

#[tokio::test]
async fn a_repetition_after_a_restart_and_at_another_instance_is_a_replay() {
    let mut world = World::new().await;
    let admin = world.admin().await;
    let send = async |client: &Client| {
        client.post("/v1/tickets", &json!({"subject": "Fire", "body": "Help", "source_id": "1"})).key("k").await
    };
    let first = send(&admin).await.ok(201);
    let ticket = first.header("location").to_owned();
    let rename = async |client: &Client| {
        client
            .post(&format!("{ticket}/rename"), &json!({"subject": "Smoke"}))
            .header("if-match", "\"1\"")
            .key("r")
            .await
    };
    let renamed = rename(&admin).await.ok(200);

    let beside = world.another().await;
    let there = beside.client(admin.token.clone());
    assert_replayed(&first, &send(&there).await);
    assert_replayed(&renamed, &rename(&there).await);
    beside.stopped().await;

    let after = world.another().await;
    std::mem::replace(&mut world.server, after).stopped().await;
    let admin = world.server.client(admin.token.clone());
    assert_replayed(&first, &send(&admin).await);
    assert_replayed(&renamed, &rename(&admin).await);
    assert_eq!(admin.version(&ticket).await, 2);
}

#[tokio::test]
async fn a_restarted_server_whose_clients_all_retry_at_once_verifies_their_key_once() {
    let world = World::new().await;
    let admin = world.admin().await;
    let restarted = world.another().await;
    let client = Arc::new(restarted.client(admin.token.clone()));
    // more than may wait for argon2id
    let calls = (0..200).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.get("/v1/tickets/nobody").await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_repetition_gets_its_answer_also_when_the_command_took_the_ticket_out_of_sight() {
    let world = World::new().await;
    let ada = world.agent("ada", &["facilities"]).await;
    world.teams(&["network"]).await;
    let ticket = ada.open(&json!({"team": "facilities"})).await;
    let route = async |key: &str| {
        let call = ada.post(&format!("{ticket}/route"), &json!({"team": "network"}));
        call.header("if-match", "\"1\"").key(key).await
    };
    let first = route("k").await.ok(200);
    ada.get(&ticket).await.problem(404, "not_found");
    assert_replayed(&first, &route("k").await);
    route("another").await.problem(404, "not_found");
    // a repeated key is looked at before the record is
    let reused = ada.post(&format!("{ticket}/start"), &json!({})).header("if-match", "*").key("k").await;
    reused.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_repetition_gets_its_answer_whatever_became_of_the_ticket() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ada = world.agent("ada", &[]).await;
    world.agents(&["bob"]).await;
    let grace = world.requester("grace@example.com").await;
    let ticket = grace.open(&json!({})).await;
    let assign = async || ada.command(&ticket, "assign", &json!({"assignee": "ada"})).key("a").await;
    let unassign = async || ada.command(&ticket, "unassign", &json!({})).key("u").await;
    let reply = async || grace.post(&format!("{ticket}/replies"), &json!({"body": "Hello?"})).key("r").await;
    let (assigned, unassigned, replied) = (assign().await.ok(200), unassign().await.ok(200), reply().await.ok(201));
    admin.command(&ticket, "assign", &json!({"assignee": "bob"})).await.ok(200);
    assert_replayed(&unassigned, &unassign().await);
    admin.command(&ticket, "resolve", &json!({"code": "solved"})).await.ok(200);
    grace.command(&ticket, "close", &json!({})).await.ok(200);
    assert_replayed(&assigned, &assign().await);
    assert_replayed(&replied, &reply().await);
    let follow_up = async || grace.post(&format!("{ticket}/replies"), &json!({"body": "Hello?!"})).key("f").await;
    let followed = follow_up().await.ok(201);
    assert_ne!(followed.header("location"), ticket);
    assert_replayed(&followed, &follow_up().await);
}
