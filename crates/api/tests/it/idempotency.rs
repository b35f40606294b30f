//! `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header-07): which keys there are, and what is another request.

use http::Method;
use serde_json::json;

use crate::client::Answer;
use crate::raw;
use crate::world::World;

/// Both are one answer: status, content, and the headers that speak of the ticket.
#[track_caller]
pub(crate) fn assert_replayed(first: &Answer, again: &Answer) {
    assert_eq!((first.status, first.text()), (again.status, again.text()));
    for name in ["etag", "location", "docket-position", "vary", "content-type", "cache-control"] {
        assert_eq!(first.find(name), again.find(name), "{name}");
    }
    assert_eq!((first.find("idempotent-replayed"), again.find("idempotent-replayed")), (None, Some("true")));
}

#[tokio::test]
async fn a_repetition_gets_the_same_answer_and_records_nothing() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.agents(&["ada"]).await;
    world.person("bob@example.com").await;
    let head = world.head().await;
    let open = async || admin.post("/v1/tickets", &json!({"subject": "Fire", "body": "Help"})).key("open").await;
    let first = open().await.ok(201);
    assert_replayed(&first, &open().await);
    let ticket = first.header("location").to_owned();

    for (command, method, body) in [
        ("replies", Method::POST, json!({"body": "We come."})),
        ("notes", Method::POST, json!({"body": "Again."})),
        ("tags", Method::POST, json!({"tags": ["a"]})),
        ("tags", Method::DELETE, json!({"tags": ["a"]})),
        ("followers", Method::POST, json!({"follower": "bob@example.com"})),
        ("followers", Method::DELETE, json!({"follower": "bob@example.com"})),
        ("assign", Method::POST, json!({"assignee": "ada"})),
        ("resolve", Method::POST, json!({"code": "solved", "note": "Water"})),
    ] {
        let version = admin.version(&ticket).await;
        let send = async || {
            let call = admin.call(method.clone(), &format!("{ticket}/{command}")).json(&body);
            call.header("if-match", &format!("\"{version}\""))
                .key(&format!("{method} {command}").replace(' ', "-"))
                .await
        };
        let first = send().await;
        assert!(first.status < 300, "{}", first.text());
        let after = admin.version(&ticket).await;
        // its If-Match has gone stale by itself
        assert_replayed(&first, &send().await);
        assert_eq!(admin.version(&ticket).await, after, "{method} {command}");
    }
    assert_replayed(&first, &open().await);
    let slots = 2;
    assert_eq!(world.head().await - head, 10 + slots, "one event each, two of the last");
}

#[tokio::test]
async fn a_bare_token_and_a_quoted_string_name_one_key() {
    let world = World::new().await;
    let admin = world.admin().await;
    let head = world.head().await;
    let open = async |key: &str| admin.post("/v1/tickets", &json!({"subject": "Fire", "body": "Help"})).key(key).await;
    for (one, two) in [("abc", "\"abc\""), ("\"8e03978e-40d5\"", "8e03978e-40d5"), ("q\"q", "\"q\\\"q\"")] {
        let first = open(one).await.ok(201);
        assert_replayed(&first, &open(two).await);
    }
    let (long, longer) = ("x".repeat(255), "x".repeat(256));
    assert_replayed(&open(&long).await.ok(201), &open(&long).await);
    for bad in ["", "\"\"", "a b", "\"a b\"", "\"open", "\"a\", \"b\"", &longer] {
        open(bad).await.problem(400, "invalid_idempotency_key");
    }
    let token = format!("authorization: Bearer {}", admin.token.clone().unwrap());
    for second in ["idempotency-key: a", "idempotency-key: b"] {
        let lines = [token.as_str(), "content-type: application/json", "idempotency-key: a", second];
        let request = raw::request("POST", "/v1/tickets", &lines, "{\"subject\": \"Fire\", \"body\": \"Help\"}");
        let answer = raw::exchange(world.server.address, request.as_bytes()).await;
        assert_eq!(
            (raw::status(&answer), raw::content(&answer)["error_code"].as_str()),
            (400, Some("invalid_idempotency_key"))
        );
    }
    assert_eq!(world.head().await - head, 4, "and nothing else was opened");
}

#[tokio::test]
async fn a_key_names_one_request_of_its_caller() {
    let world = World::new().await;
    let admin = world.admin().await;
    let other = world.agent("ada", &[]).await;
    let (one, two) = (admin.open(&json!({})).await, admin.open(&json!({})).await);
    let send = async |method: Method, path: &str, body: &str, tags: Option<&str>| {
        let call = admin.call(method, path).bytes(body).header("content-type", "application/json").key("k");
        if let Some(tags) = tags { call.header("if-match", tags).await } else { call.await }
    };
    let tags = format!("{one}/tags");
    let first = send(Method::POST, &tags, "{\"tags\": [\"a\", \"b\"]}", Some("\"1\"")).await.ok(200);
    for (what, answer) in [
        ("body", send(Method::POST, &tags, "{\"tags\": [\"b\", \"a\"]}", Some("\"1\"")).await),
        ("method", send(Method::DELETE, &tags, "{\"tags\": [\"a\", \"b\"]}", Some("\"1\"")).await),
        ("path", send(Method::POST, &format!("{two}/tags"), "{\"tags\": [\"a\", \"b\"]}", Some("\"1\"")).await),
        ("If-Match", send(Method::POST, &tags, "{\"tags\": [\"a\", \"b\"]}", Some("*")).await),
        ("everything", send(Method::POST, "/v1/tickets", "{\"subject\": \"x\", \"body\": \"x\"}", None).await),
    ] {
        assert_eq!(answer.status, 422, "another {what}: {}", answer.text());
        answer.problem(422, "idempotency_key_reused");
    }
    // white space makes no other request
    assert_replayed(&first, &send(Method::POST, &tags, " { \"tags\":[\"a\",\"b\"]}\n", Some("\"1\"")).await);
    // another caller's key is another key
    let call = other.post(&tags, &json!({"tags": ["c"]})).header("if-match", "*").key("k").await.ok(200);
    assert!(call.find("idempotent-replayed").is_none());
}

#[tokio::test]
async fn refusals_leave_no_receipt() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    let send = async |command: &str, body: &serde_json::Value, tags: Option<&str>| {
        let call = admin.post(&format!("{ticket}/{command}"), body).key("k");
        if let Some(tags) = tags { call.header("if-match", tags).await } else { call.await }
    };
    send("resume", &json!({}), Some("*")).await.problem(409, "illegal_transition");
    send("rename", &json!({"subject": ""}), Some("*")).await.problem(422, "validation_failed");
    send("rename", &json!({"subject": "x"}), Some("\"9\"")).await.problem(412, "precondition_failed");
    send("rename", &json!({"subject": "x"}), None).await.problem(428, "precondition_required");
    send("rename", &json!({"subject": "x"}), Some("bad")).await.problem(400, "invalid_if_match");
    admin.post("/v1/tickets/nobody/start", &json!({})).key("k").await.problem(404, "not_found");
    admin.post("/v1/tickets", &json!({"subject": 1})).key("k").await.problem(422, "validation_failed");
    // the same refused request again, when it can be done: it is done, not replayed
    admin.command(&ticket, "hold", &json!({"reason": "x"})).await.ok(200);
    let done = send("resume", &json!({}), Some("*")).await.ok(200);
    assert!(done.find("idempotent-replayed").is_none());
    assert_replayed(&done, &send("resume", &json!({}), Some("*")).await);
}

#[tokio::test]
async fn a_command_without_effect_is_repeated_as_it_was() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({"priority": "high"})).await;
    let send = async || {
        let call = admin.post(&format!("{ticket}/prioritize"), &json!({"priority": "high"}));
        call.header("if-match", "*").key("k").await
    };
    let first = send().await.ok(200);
    assert_eq!(first.header("etag"), "\"1\"", "it changed nothing");
    admin.command(&ticket, "prioritize", &json!({"priority": "low"})).await.ok(200);
    assert_replayed(&first, &send().await);
    assert_eq!(admin.get(&ticket).await.json()["priority"], "low", "a repetition does nothing");
}
