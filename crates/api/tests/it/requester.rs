//! A requester's life with a ticket.

use chrono::TimeDelta;
use desk::Policy;
use serde_json::{Value, json};

use crate::world::{World, config, eventually};

#[tokio::test]
async fn open_reply_confirm_reopen_close_and_reply_again() {
    let world = World::new().await;
    let ada = world.agent("ada", &["facilities"]).await;
    let grace = world.requester("grace@example.com").await;
    let asked = json!({
        "team": "facilities", "tags": ["printer"], "priority": "high", "requester": {"email": "grace@example.com"},
    });
    let ticket = world.admin().await.open(&asked).await;
    let seen = grace.get(&ticket).await.json();
    assert_eq!(seen["requester"], json!({"person_id": world.person("grace@example.com").await.to_string()}));
    assert_eq!((&seen["team"], &seen["tags"]), (&Value::Null, &json!([])), "internal from the start");
    grace.command(&ticket, "confirm", &json!({})).await.problem(409, "illegal_transition");

    ada.command(&ticket, "start", &json!({})).await.ok(200);
    grace.command(&ticket, "confirm", &json!({})).await.problem(409, "no_assignee");
    ada.command(&ticket, "assign", &json!({"assignee": "ada"})).await.ok(200);
    ada.command(&ticket, "replies", &json!({"body": "Is it out?"})).await.ok(201);
    ada.command(&ticket, "await-requester", &json!({})).await.ok(200);
    let replied = grace.post(&format!("{ticket}/replies"), &json!({"body": "It is."})).await.ok(201);
    assert_eq!(
        (&replied.json()["status"], replied.find("location")),
        (&json!("open"), None),
        "a reply sets it going again"
    );

    let confirmed = grace.command(&ticket, "confirm", &json!({})).await.ok(200).json();
    assert_eq!(confirmed["status"], "resolved");
    assert!(confirmed["reopen_until"].is_string() && confirmed["resolved_at"].is_string());
    let reopened = grace.command(&ticket, "reopen", &json!({})).await.ok(200).json();
    assert_eq!((&reopened["status"], &reopened["reopen_until"]), (&json!("open"), &Value::Null), "without a reason");
    grace.command(&ticket, "confirm", &json!({})).await.ok(200);
    let again = grace.command(&ticket, "replies", &json!({"body": "Still smoke"})).await.ok(201).json();
    assert_eq!(again["status"], "open", "a reply reopens");
    ada.command(&ticket, "resolve", &json!({"code": "solved"})).await.ok(200);
    let closed = grace.command(&ticket, "close", &json!({})).await.ok(200).json();
    assert_eq!((&closed["status"], &closed["closed_reason"]), (&json!("closed"), &json!("resolved")));
    assert_eq!(closed["allowed_commands"], json!(["reply"]));

    let before = ada.version(&ticket).await;
    let answer = grace.post(&format!("{ticket}/replies"), &json!({"body": "It burns again"})).await.ok(201);
    let follow_up = answer.json();
    assert_eq!(follow_up["follow_up_of"], ticket.rsplit('/').next().unwrap());
    assert_eq!(
        (&follow_up["status"], &follow_up["body"], answer.header("etag")),
        (&json!("new"), &json!("It burns again"), "\"1\"")
    );
    assert_eq!(answer.header("location"), format!("/v1/tickets/{}", follow_up["id"].as_str().unwrap()));
    assert_eq!(grace.get(answer.header("location")).await.ok(200).body, answer.body);
    assert_eq!(ada.version(&ticket).await, before, "the closed one stays as it is");
    let staff = ada.get(answer.header("location")).await.ok(200).json();
    assert_eq!(
        (&staff["team"], &staff["tags"], &staff["priority"]),
        (&json!("facilities"), &json!(["printer"]), &json!("high"))
    );
    ada.command(&ticket, "replies", &json!({"body": "x"})).await.problem(409, "illegal_transition");
}

#[tokio::test]
async fn a_condition_on_the_closed_ticket_holds_for_its_follow_up() {
    let world = World::new().await;
    let admin = world.admin().await;
    let grace = world.requester("grace@example.com").await;
    let ticket = grace.open(&json!({})).await;
    admin.command(&ticket, "spam", &json!({})).await.ok(200);
    let reply =
        |tag: &str| grace.post(&format!("{ticket}/replies"), &json!({"body": "I am real"})).header("if-match", tag);
    reply("\"1\"").await.problem(412, "precondition_failed");
    assert_eq!(reply("\"2\"").await.ok(201).json()["follow_up_of"], ticket.rsplit('/').next().unwrap());
}

#[tokio::test]
async fn after_the_deadline_a_resolved_ticket_is_over() {
    let policy = Policy { reopen_window: TimeDelta::milliseconds(1), ..Policy::default() };
    let world = World::with(config(), policy).await;
    let admin = world.admin().await;
    let grace = world.requester("grace@example.com").await;
    let ticket = grace.open(&json!({})).await;
    let resolved = admin.command(&ticket, "resolve", &json!({"code": "solved"})).await.ok(200).json();
    let until: chrono::DateTime<chrono::Utc> = resolved["reopen_until"].as_str().unwrap().parse().unwrap();
    eventually("the deadline", async || (crate::world::now() > until).then_some(())).await;
    grace.command(&ticket, "reopen", &json!({})).await.problem(409, "reopen_deadline_passed");
    let follow_up = grace.command(&ticket, "replies", &json!({"body": "Again"})).await.ok(201).json();
    assert_eq!(follow_up["follow_up_of"], ticket.rsplit('/').next().unwrap());
    let closed = admin.command(&ticket, "close", &json!({})).await.ok(200).json();
    assert_eq!(closed["status"], "closed");
}

#[tokio::test]
async fn requester_may_not_set_reserved_fields_when_opening() {
    let world = World::new().await;
    let (grace, ada) = (world.requester("grace@example.com").await, world.agent("ada", &[]).await);
    let opening = json!({
        "subject": "x", "body": "x", "priority": "high", "team": "it", "category": "x", "tags": ["x"], "channel": "email",
    });
    let refused = grace.post("/v1/tickets", &opening).await;
    let pointers = ["/category", "/channel", "/priority", "/tags", "/team"];
    assert_eq!(refused.pointers(403, "forbidden"), pointers);
    world.teams(&["it"]).await;
    ada.post("/v1/tickets", &opening).await.ok(201);
    let free = json!({"subject": "x", "body": "x", "channel": "api", "source_id": "1"});
    assert_eq!(grace.post("/v1/tickets", &free).await.ok(201).json()["channel"], "api");
}

/// A requester can neither take an id from a mail or an import, nor learn that it is known.
#[tokio::test]
async fn source_id_of_a_requester_is_their_own() {
    let world = World::new().await;
    let (grace, eve) = (world.requester("grace@example.com").await, world.requester("eve@example.com").await);
    let ada = world.agent("ada", &[]).await;
    let opening = json!({"subject": "x", "body": "x", "source_id": "<1@example.com>"});
    for client in [&grace, &eve, &ada] {
        client.post("/v1/tickets", &opening).await.ok(201);
    }
    for client in [&grace, &eve, &ada] {
        client.post("/v1/tickets", &opening).await.problem(409, "source_id_used");
    }
}
