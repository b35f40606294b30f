//! `POST /v1/tickets/{id}/commands`: several commands as one unit.

use serde_json::{Value, json};

use crate::client::{Call, Client};
use crate::world::World;

fn send(client: &Client, ticket: &str, commands: &Value) -> Call {
    client.post(&format!("{ticket}/commands"), &json!({"commands": commands}))
}

#[tokio::test]
async fn commands_are_recorded_in_one_unit() {
    let world = World::new().await;
    let ada = world.agent("ada", &[]).await;
    let ticket = ada.open(&json!({})).await;
    let commands = json!([
        {"command": "assign", "assignee": "ada"}, {"command": "reply", "body": "Done."},
        {"command": "tag", "tags": ["fuser"]}, {"command": "resolve", "code": "solved"},
    ]);
    let done = send(&ada, &ticket, &commands).header("if-match", "\"1\"").key("k").await.ok(200);
    assert_eq!((&done.json()["status"], done.header("etag")), (&json!("resolved"), "\"5\""));
    let again = send(&ada, &ticket, &commands).header("if-match", "\"1\"").key("k").await.ok(200);
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&done.body, "true"));
    assert_eq!(ada.get(&ticket).await.body, done.body);
}

#[tokio::test]
async fn one_refused_command_leaves_nothing() {
    let world = World::new().await;
    let ada = world.agent("ada", &[]).await;
    let ticket = ada.open(&json!({})).await;
    let reply = json!({"command": "reply", "body": "x"});
    let call = |second: Value| send(&ada, &ticket, &json!([reply, second])).header("if-match", "*");
    call(json!({"command": "reopen"})).await.problem(422, "validation_failed");
    call(json!({"command": "resume"})).await.problem(409, "illegal_transition");
    call(json!({"command": "confirm"})).await.problem(403, "forbidden");
    let faults = call(json!({"command": "link", "kind": "blocks", "other": ticket.rsplit('/').next()})).await;
    assert_eq!(faults.pointers(422, "validation_failed"), ["/commands/1/other"]);
    let faults = call(json!({"command": "hold", "reason": "", "x": 1})).await;
    assert_eq!(faults.pointers(422, "validation_failed"), ["/commands/1/reason", "/commands/1/x"]);
    assert_eq!(ada.version(&ticket).await, 1);
}

#[tokio::test]
async fn if_match_is_needed_unless_all_only_add() {
    let world = World::new().await;
    let ada = world.agent("ada", &[]).await;
    let ticket = ada.open(&json!({})).await;
    let (reply, note) = (json!({"command": "reply", "body": "x"}), json!({"command": "note", "body": "x"}));
    send(&ada, &ticket, &json!([reply, note])).await.ok(200);
    send(&ada, &ticket, &json!([reply, {"command": "start"}])).await.problem(428, "precondition_required");
    send(&ada, &ticket, &json!([reply])).header("if-match", "\"1\"").await.problem(412, "precondition_failed");
}

#[tokio::test]
async fn number_of_commands_is_bounded() {
    let world = World::new().await;
    let ada = world.agent("ada", &[]).await;
    let ticket = ada.open(&json!({})).await;
    for (count, status) in [(0, 422), (20, 200), (21, 422)] {
        let commands = json!(vec![json!({"command": "note", "body": "x"}); count]);
        assert_eq!(send(&ada, &ticket, &commands).await.status, status, "{count}");
    }
}

/// A reply to a closed ticket opens another one; among other commands it is refused.
#[tokio::test]
async fn reply_that_would_open_a_ticket_is_a_conflict() {
    let world = World::new().await;
    let (ada, grace) = (world.agent("ada", &[]).await, world.requester("grace@example.com").await);
    let ticket = grace.open(&json!({})).await;
    ada.command(&ticket, "resolve", &json!({"code": "solved"})).await.ok(200);
    grace.command(&ticket, "close", &json!({})).await.ok(200);
    let reply = json!({"command": "reply", "body": "Again!"});
    send(&grace, &ticket, &json!([reply, reply])).await.problem(409, "command_refused");
    send(&grace, &ticket, &json!([reply])).await.problem(409, "command_refused");
}
