//! Conditional requests (RFC 9110, RFC 6585).

use serde_json::{Value, json};

use crate::raw;
use crate::world::World;

#[tokio::test]
async fn if_match_takes_one_version_a_list_or_any() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    for (version, tags) in [(1, "\"1\""), (2, "\"7\", \"2\""), (3, "*"), (4, "W/\"1\", \"4\"")] {
        let path = format!("{ticket}/notes");
        let answer = admin.post(&path, &json!({"body": "x"})).header("if-match", tags).await.ok(201);
        assert_eq!(answer.header("etag"), format!("\"{}\"", version + 1), "{tags}");
    }
}

#[tokio::test]
async fn a_tag_that_is_not_the_present_version_fails_and_tells_what_came_between() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    admin.command(&ticket, "notes", &json!({"body": "first"})).await.ok(201);
    admin.command(&ticket, "prioritize", &json!({"priority": "high"})).await.ok(200);
    let rename = async |tags: &str| {
        let answer = admin.post(&format!("{ticket}/rename"), &json!({"subject": "New"})).header("if-match", tags).await;
        let problem = answer.problem(412, "precondition_failed");
        assert_eq!(answer.header("etag"), "\"3\"");
        assert_eq!(problem["details"]["current_version"], 3);
        problem["details"]["events"].as_array().unwrap().clone()
    };
    let history = admin.get(&format!("{ticket}/history")).await.json();
    assert_eq!(json!(rename("\"1\"").await), json!([history["items"][1], history["items"][2]]));
    assert_eq!(rename("\"1\", \"2\"").await.len(), 1, "since the newest version that the client knew");
    for tags in ["W/\"3\"", "\"9\"", "\"x\"", "\"03\"", "\"+3\"", "\"3e0\"", "\"99999999999999999999\""] {
        assert_eq!(rename(tags).await, Vec::<Value>::new(), "{tags}");
    }
    assert_eq!(admin.version(&ticket).await, 3, "nothing was recorded");
}

#[tokio::test]
async fn what_came_between_is_told_as_the_caller_may_see_it() {
    let world = World::new().await;
    let admin = world.admin().await;
    let grace = world.requester("grace@example.com").await;
    let ticket = grace.open(&json!({})).await;
    for (command, body) in [
        ("notes", json!({"body": "secret note"})),
        ("tags", json!({"tags": ["secret-tag"]})),
        ("start", json!({})),
        ("hold", json!({"reason": "secret reason"})),
        ("replies", json!({"body": "We come."})),
    ] {
        admin.command(&ticket, command, &body).await;
    }
    let stale = grace.post(&format!("{ticket}/confirm"), &json!({})).header("if-match", "\"1\"").await;
    let problem = stale.problem(412, "precondition_failed");
    let types = problem["details"]["events"].as_array().unwrap().iter().map(|e| e["type"].clone());
    assert_eq!(types.collect::<Vec<_>>(), ["ticket.work_started", "ticket.put_on_hold", "ticket.public_reply_added"]);
    assert!(!stale.text().contains("secret"), "{}", stale.text());
    assert_eq!(stale.header("etag"), "\"6\"", "the tag is the whole ticket's");
}

#[tokio::test]
async fn what_is_no_list_of_tags_is_a_bad_request() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    for bad in ["1", "", "\"1", "1\"", "\"1\" \"2\"", "*, \"1\"", "\"1\", *", "\"1\",", "w/\"1\"", "'1'"] {
        for command in ["rename", "replies"] {
            let body = if command == "rename" { json!({"subject": "New"}) } else { json!({"body": "x"}) };
            let answer = admin.post(&format!("{ticket}/{command}"), &body).header("if-match", bad).await;
            answer.problem(400, "invalid_if_match");
        }
    }
    assert_eq!(admin.version(&ticket).await, 1);
}

#[tokio::test]
async fn two_if_match_lines_must_agree() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    let token = format!("authorization: Bearer {}", admin.token.clone().unwrap());
    let send = async |lines: &[&str]| {
        let lines = [&[token.as_str(), "content-type: application/json"], lines].concat();
        let request = raw::request("POST", &format!("{ticket}/notes"), &lines, "{\"body\": \"x\"}");
        raw::exchange(world.server.address, request.as_bytes()).await
    };
    let answer = send(&["if-match: \"1\"", "if-match: \"2\""]).await;
    assert_eq!((raw::status(&answer), raw::content(&answer)["error_code"].as_str()), (400, Some("invalid_if_match")));
    let answer = send(&["if-match: *", "if-match: \"1\""]).await;
    assert_eq!(raw::status(&answer), 400);
    assert_eq!(raw::status(&send(&["if-match: \"1\"", "if-match: \"1\""]).await), 201, "two that say the same");
}

#[tokio::test]
async fn what_changes_needs_if_match_and_what_only_adds_does_not() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.examples().await;
    let ticket = admin.open(&json!({"tags": ["a"]})).await;
    let document = api::openapi();
    for route in api::routes() {
        let Some(command) = route.path.strip_prefix("/v1/tickets/{id}/").filter(|_| route.method != http::Method::GET)
        else {
            continue;
        };
        let body = &document["paths"][route.path][route.method.as_str().to_lowercase()]["requestBody"]["content"]["application/json"];
        if command == "confirm" {
            continue; // an admin may never
        }
        let path = format!("{ticket}/{command}");
        let answer = admin.call(route.method.clone(), &path).json(&body["example"]).await;
        let adds =
            ["replies", "notes"].contains(&command) || (command == "followers" && route.method == http::Method::POST);
        if adds {
            answer.ok(if command == "followers" { 200 } else { 201 });
        } else {
            answer.problem(428, "precondition_required");
        }
        let stale = admin.call(route.method, &path).json(&body["example"]).header("if-match", "\"77\"").await;
        stale.problem(412, "precondition_failed");
    }
}

#[tokio::test]
async fn a_missing_ticket_is_not_found_whatever_the_condition_is() {
    let world = World::new().await;
    let admin = world.admin().await;
    let path = "/v1/tickets/01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11/rename";
    for tags in ["\"1\"", "*"] {
        admin.post(path, &json!({"subject": "New"})).header("if-match", tags).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn if_none_match_is_answered_with_304_and_the_headers_of_the_200() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    admin.command(&ticket, "notes", &json!({"body": "x"})).await.ok(201);
    for path in ["", "/history", "/conversation", "?version=2"] {
        let path = format!("{ticket}{path}");
        let full = admin.get(&path).await.ok(200);
        assert_eq!(full.header("etag"), "\"2\"");
        for tags in ["\"2\"", "W/\"2\"", "*", "\"1\", \"2\""] {
            let known = admin.get(&path).header("if-none-match", tags).await.ok(304);
            assert!(known.body.is_empty());
            for name in ["etag", "vary", "cache-control"] {
                assert_eq!(known.header(name), full.header(name), "{path} {name}");
            }
        }
        for tags in ["\"1\"", "\"3\"", "\"02\""] {
            assert_eq!(admin.get(&path).header("if-none-match", tags).await.ok(200).body, full.body, "{path} {tags}");
        }
    }
    let head = admin.call(http::Method::HEAD, &ticket).await.ok(200);
    assert!(head.body.is_empty() && head.header("etag") == "\"2\"");
    let before = admin.get(&format!("{ticket}?version=1")).header("if-none-match", "\"2\"").await.ok(200);
    assert_eq!(before.header("etag"), "\"1\"");
}
