//! Every command: its status, its headers, its event.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::World;

/// A command's answer is the ticket after it, and its headers say the same.
fn assert_answer(answer: &Answer, events: i64) {
    let ticket = answer.json();
    assert_eq!(ticket["version"], events);
    assert_eq!(answer.header("etag"), format!("\"{events}\""));
    assert_eq!(answer.header("vary"), "Authorization, Docket-On-Behalf-Of");
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.header("docket-position").parse::<i64>().unwrap() >= events);
    assert!(answer.find("idempotent-replayed").is_none());
    assert!(answer.find("x-request-id").is_some());
}

#[tokio::test]
async fn to_open_a_ticket_is_answered_with_it() {
    let world = World::new().await;
    let admin = world.admin().await;
    let body = json!({
        "subject": "The printer is on fire", "body": "Please come with water.", "priority": "urgent", "team": "facilities",
        "category": "hardware", "tags": ["printer", "fire"], "channel": "email", "source_id": "<1@example.com>",
        "requester": {"email": "Grace@Example.com", "name": "Grace"},
    });
    world.teams(&["facilities"]).await;
    let opened = admin.post("/v1/tickets", &body).await.ok(201);
    assert_answer(&opened, 1);
    let ticket = opened.json();
    assert_eq!(opened.header("location"), format!("/v1/tickets/{}", ticket["id"].as_str().unwrap()));
    for (member, value) in [
        ("number", json!(1)),
        ("status", json!("new")),
        ("subject", body["subject"].clone()),
        ("body", body["body"].clone()),
        ("priority", json!("urgent")),
        ("category", json!("hardware")),
        ("team", json!("facilities")),
        ("assignee", Value::Null),
        ("requester", json!({"person_id": world.person("grace@example.com").await.to_string()})),
        ("channel", json!("email")),
        ("tags", json!(["fire", "printer"])),
        ("followers", json!([])),
        ("links", json!([])),
        ("resolved_at", Value::Null),
        ("resolution_code", Value::Null),
        ("hold_reason", Value::Null),
        ("wake_at", Value::Null),
        ("reopen_until", Value::Null),
        ("closed_at", Value::Null),
        ("closed_reason", Value::Null),
        ("follow_up_of", Value::Null),
    ] {
        assert_eq!(ticket[member], value, "{member}");
    }
    assert_eq!(ticket["opened_at"], ticket["updated_at"]);
    assert!(ticket["allowed_commands"].as_array().unwrap().contains(&json!("assign")));
    let read = admin.get(opened.header("location")).await.ok(200);
    assert_eq!(read.body, opened.body, "what is answered is what is read");

    let second = admin
        .post("/v1/tickets", &json!({"subject": "Again", "body": "It burns", "follow_up_of": ticket["id"]}))
        .await
        .ok(201)
        .json();
    assert_eq!(
        (&second["number"], &second["follow_up_of"], &second["requester"]),
        (&json!(2), &ticket["id"], &Value::Null)
    );
    assert_eq!((&second["priority"], &second["channel"]), (&json!("normal"), &json!("api")));
}

/// Sends a command with the present version and holds its answer to the contract.
async fn step(client: &Client, ticket: &str, call: (&str, &str, Value), status: u16, adds: i64) -> Value {
    let (method, command, body) = call;
    let version = client.version(ticket).await;
    let path = format!("{ticket}/{command}");
    let call = client.call(method.parse().unwrap(), &path).json(&body).header("if-match", &format!("\"{version}\""));
    let answer = call.await.ok(status);
    assert_answer(&answer, version + adds);
    assert_eq!(client.get(ticket).await.body, answer.body, "{path}: what is answered is what is read");
    answer.json()
}

#[tokio::test]
async fn every_command_is_answered_with_the_ticket_after_it() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.examples().await;
    let bob = world.person("bob@example.com").await.to_string();
    let ticket = &admin.open(&json!({"requester": {"email": "grace@example.com"}})).await;
    let other = admin.open(&json!({})).await;
    let other = other.rsplit('/').next().unwrap();
    let after = async |method, command, body, status, adds, member: &str, value: Value| {
        let after = step(&admin, ticket, (method, command, body), status, adds).await;
        assert_eq!(after[member], value, "{command}");
    };
    after("POST", "start", json!({}), 200, 1, "status", json!("open")).await;
    after("POST", "replies", json!({"body": "We come."}), 201, 1, "status", json!("open")).await;
    after("POST", "notes", json!({"body": "Third time."}), 201, 1, "status", json!("open")).await;
    after("POST", "tags", json!({"tags": ["b", "a"]}), 200, 1, "tags", json!(["a", "b"])).await;
    after("DELETE", "tags", json!({"tags": ["b", "c"]}), 200, 1, "tags", json!(["a"])).await;
    after("POST", "followers", json!({"follower": "Bob@Example.com"}), 200, 1, "followers", json!([bob])).await;
    after("DELETE", "followers", json!({"follower": bob}), 200, 1, "followers", json!([])).await;
    after("POST", "assign", json!({"assignee": "ada"}), 200, 1, "assignee", json!("ada")).await;
    after("POST", "unassign", json!({}), 200, 1, "assignee", Value::Null).await;
    after("POST", "assign", json!({"assignee": "ada"}), 200, 1, "assignee", json!("ada")).await;
    after("POST", "prioritize", json!({"priority": "high", "reason": "Smoke"}), 200, 1, "priority", json!("high"))
        .await;
    after("POST", "categorize", json!({"category": "hardware"}), 200, 1, "category", json!("hardware")).await;
    after("POST", "rename", json!({"subject": "Fire"}), 200, 1, "subject", json!("Fire")).await;
    after("POST", "await-requester", json!({}), 200, 1, "status", json!("pending")).await;
    after("POST", "resume", json!({}), 200, 1, "status", json!("open")).await;
    after(
        "POST",
        "hold",
        json!({"reason": "Ordered", "wake_at": "2099-01-31T09:00:00Z"}),
        200,
        1,
        "hold_reason",
        json!("Ordered"),
    )
    .await;
    after("POST", "resume", json!({}), 200, 1, "status", json!("open")).await;
    let link = json!({"kind": "relates_to", "other": other});
    after("POST", "link", link.clone(), 200, 1, "links", json!([link])).await;
    after("POST", "unlink", link, 200, 1, "links", json!([])).await;
    let requester = json!({"person_id": bob});
    after("POST", "requester", json!({"requester": requester}), 200, 1, "requester", requester.clone()).await;
    let resolve = json!({"code": "solved", "note": "Water"});
    after("POST", "resolve", resolve, 200, 2, "resolution_code", json!("solved")).await;
    after("POST", "reopen", json!({"reason": "It burns again"}), 200, 1, "status", json!("open")).await;
    after("POST", "route", json!({"team": "facilities"}), 200, 2, "team", json!("facilities")).await;
    let types = admin.events(ticket).await;
    assert_eq!(types.last().map(String::as_str), Some("ticket.agent_unassigned"));
}

#[tokio::test]
async fn a_link_is_recorded_on_both_tickets() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (one, two) = (admin.open(&json!({})).await, admin.open(&json!({})).await);
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    admin.command(&one, "link", &json!({"kind": "blocked_by", "other": id(&two)})).await.ok(200);
    let links = async |path: &str| admin.get(path).await.json()["links"].clone();
    assert_eq!(links(&two).await, json!([{"kind": "blocks", "other": id(&one)}]));
    let refused = admin.command(&one, "resolve", &json!({"code": "solved"})).await;
    assert_eq!(refused.problem(409, "open_blockers")["details"]["tickets"], json!([id(&two)]));
    admin.command(&two, "unlink", &json!({"kind": "blocks", "other": id(&one)})).await.ok(200);
    assert_eq!((links(&one).await, links(&two).await), (json!([]), json!([])));
    admin.command(&one, "resolve", &json!({"code": "solved"})).await.ok(200);
    let nobody = json!({"kind": "blocks", "other": "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11"});
    assert_eq!(admin.command(&one, "link", &nobody).await.pointers(422, "validation_failed"), ["/other"]);
    let itself = json!({"kind": "blocks", "other": id(&one)});
    assert_eq!(admin.command(&one, "link", &itself).await.pointers(422, "validation_failed"), ["/other"]);
}

#[tokio::test]
async fn a_command_that_changes_nothing_succeeds_and_records_nothing() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.teams(&["t"]).await;
    let ticket = admin.open(&json!({"tags": ["a"], "category": "c", "team": "t"})).await;
    let before = admin.get(&ticket).await;
    for (command, body) in [
        ("prioritize", json!({"priority": "normal"})),
        ("tags", json!({"tags": ["a"]})),
        ("categorize", json!({"category": "c"})),
        ("route", json!({"team": "t"})),
        ("unassign", json!({})),
        ("rename", json!({"subject": "The printer is on fire"})),
    ] {
        let answer = admin.command(&ticket, command, &body).await.ok(200);
        assert_answer(&answer, 1);
        assert_eq!(answer.body, before.body, "{command}");
    }
    let mail = json!({"body": "Hello", "source_id": "<2@example.com>"});
    let first = admin.command(&ticket, "replies", &mail).await.ok(201);
    let again = admin.command(&ticket, "replies", &mail).await.ok(201);
    assert_eq!((first.body, again.json()["version"].clone()), (again.body, json!(2)), "a mail that is delivered twice");
}

#[tokio::test]
async fn what_the_ticket_s_state_does_not_allow_is_a_conflict_that_says_what_is_allowed() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ada = world.agent("ada", &["facilities"]).await;
    let ticket = admin.open(&json!({"requester": {"email": "grace@example.com"}, "team": "facilities"})).await;
    let refused = ada.command(&ticket, "resume", &json!({})).await.problem(409, "illegal_transition");
    assert_eq!(refused["details"]["status"], "new");
    assert_eq!(refused["details"]["allowed_commands"], ada.get(&ticket).await.json()["allowed_commands"]);
    ada.command(&ticket, "start", &json!({})).await.ok(200);
    ada.command(&ticket, "await-requester", &json!({})).await.problem(409, "no_reply_since_requester");
    let bob = world.agent("bob", &["other"]).await;
    assert!(bob.get(&ticket).await.status == 404);
    admin.command(&ticket, "assign", &json!({"assignee": "bob"})).await.problem(409, "not_team_member");
    ada.command(&ticket, "assign", &json!({"assignee": "bob"})).await.problem(403, "forbidden");
    ada.command(&ticket, "replies", &json!({"body": "We come."})).await.ok(201);
    ada.command(&ticket, "spam", &json!({})).await.problem(409, "agent_already_replied");
    ada.command(&ticket, "resolve", &json!({"code": "solved"})).await.ok(200);
    admin.command(&ticket, "close", &json!({})).await.problem(409, "reopen_window_open");
    assert_eq!(ada.command(&ticket, "reopen", &json!({})).await.pointers(422, "validation_failed"), ["/reason"]);
    let past = json!({"reason": "x", "wake_at": "2001-01-01T00:00:00Z"});
    assert_eq!(ada.command(&ticket, "hold", &past).await.pointers(422, "validation_failed"), ["/wake_at"]);
    let own = json!({"code": "confirmed_by_requester"});
    assert_eq!(ada.command(&ticket, "resolve", &own).await.pointers(422, "validation_failed"), ["/code"]);
}

#[tokio::test]
async fn a_source_id_opens_one_ticket() {
    let world = World::new().await;
    let admin = world.admin().await;
    let mail = json!({"channel": "email", "source_id": "<1@example.com>"});
    world.teams(&["it"]).await;
    let first = admin.open(&json!({"channel": "email", "source_id": "<1@example.com>", "team": "it"})).await;
    let mut body = json!({"subject": "Again", "body": "The same mail"});
    body.as_object_mut().unwrap().extend(mail.as_object().unwrap().clone());
    let refused = admin.post("/v1/tickets", &body).await.problem(409, "source_id_used");
    assert_eq!(refused["details"]["ticket_id"], first.rsplit('/').next().unwrap());
    let stranger = world.agent("eve", &[]).await;
    let refused = stranger.post("/v1/tickets", &body).await.problem(409, "source_id_used");
    assert_eq!(refused["details"]["ticket_id"], Value::Null, "it is not theirs to know");
    body["channel"] = json!("chat");
    admin.post("/v1/tickets", &body).await.ok(201);
}
