//! Reading a ticket: as it is, as it was, and what a query may say.

use serde_json::{Value, json};

use crate::world::{World, path_of};

#[tokio::test]
async fn a_ticket_can_be_read_as_it_was() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.agents(&["ada"]).await;
    let ticket = admin.open(&json!({})).await;
    let mut states = vec![admin.get(&ticket).await.ok(200).json()];
    for (command, body) in [
        ("prioritize", json!({"priority": "high"})),
        ("assign", json!({"assignee": "ada"})),
        ("notes", json!({"body": "x"})),
        ("resolve", json!({"code": "solved"})),
        ("reopen", json!({"reason": "x"})),
    ] {
        states.push(admin.command(&ticket, command, &body).await.json());
    }
    for (index, state) in states.iter().enumerate() {
        let then = admin.get(&format!("{ticket}?version={}", index + 1)).await.ok(200);
        assert_eq!(then.json(), *state);
        assert_eq!(then.header("etag"), format!("\"{}\"", index + 1));
        let at = state["updated_at"].as_str().unwrap();
        assert_eq!(admin.get(&format!("{ticket}?at={at}")).await.ok(200).json(), *state, "at {at}");
    }
    assert_eq!(admin.get(&format!("{ticket}?at=9999-12-31T23:59:59Z")).await.ok(200).json(), states[5]);
    let opened = states[0]["opened_at"].as_str().unwrap().replace('Z', "%2B00:00");
    assert_eq!(admin.get(&format!("{ticket}?at={opened}")).await.ok(200).json(), states[0]);
    for beyond in ["version=7", "version=9223372036854775807", "at=2001-01-01T00:00:00Z", "at=0000-01-01T00:00:00Z"] {
        admin.get(&format!("{ticket}?{beyond}")).await.problem(404, "no_such_version");
    }
}

#[tokio::test]
async fn a_query_is_taken_to_the_letter() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    for (query, places) in [
        ("version=0", &["?version"][..]),
        ("version=-1", &["?version"]),
        ("version=%2B1", &["?version"]),
        ("version=+1", &["?version"]),
        ("version=1e3", &["?version"]),
        ("version=1.0", &["?version"]),
        ("version=", &["?version"]),
        ("version", &["?version"]),
        ("version=9223372036854775808", &["?version"]),
        ("version=1%20", &["?version"]),
        ("version=%EF%BC%91", &["?version"]),
        ("at=yesterday", &["?at"]),
        ("at=", &["?at"]),
        ("at=2026-01-31", &["?at"]),
        ("at=2026-01-31T09:30:00", &["?at"]),
        ("at=2026-02-30T09:30:00Z", &["?at"]),
        ("at=1700000000", &["?at"]),
        ("version=1&at=2026-01-31T09:30:00Z", &["?version"]),
        ("version=1&version=1", &["?version"]),
        ("Version=1", &["?Version"]),
        ("a=1&b=2", &["?a", "?b"]),
        ("version=1&x=%00", &[""]),
        ("version=x&at=y", &["?at", "?version"]),
    ] {
        let answer = admin.get(&format!("{ticket}?{query}")).await;
        assert_eq!(answer.pointers(400, "invalid_query"), places, "{query}: {}", answer.text());
    }
    admin.get(&format!("{ticket}?version=1")).await.ok(200);
    admin.get(&format!("{ticket}?")).await.ok(200);
    for path in ["/history", "/conversation"] {
        assert_eq!(admin.get(&format!("{ticket}{path}?version=1")).await.pointers(400, "invalid_query"), ["?version"]);
    }
    let post = admin.post("/v1/tickets?dry_run=true", &json!({"subject": "x", "body": "x"})).await;
    assert_eq!(post.pointers(400, "invalid_query"), ["?dry_run"]);
    assert_eq!(admin.command(&ticket, "start?x", &json!({})).await.pointers(400, "invalid_query"), ["?x"]);
    admin.get("/v1/tickets/01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11?x=1").await.problem(400, "invalid_query");
}

#[tokio::test]
async fn ids_are_read_in_either_case() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    let id = ticket.rsplit('/').next().unwrap();
    for other in [
        id.replace('-', ""),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        format!("{id}%20"),
        "1".into(),
        "%00".into(),
    ] {
        admin.get(&format!("/v1/tickets/{other}")).await.problem(404, "not_found");
    }
    let upper = admin.get(&format!("/v1/tickets/{}", id.to_uppercase())).await.ok(200);
    assert_eq!(upper.body, admin.get(&ticket).await.ok(200).body);
}

#[tokio::test]
async fn ticket_is_read_by_its_number() {
    let world = World::new().await;
    let (admin, grace) = (world.admin().await, world.requester("grace@example.com").await);
    let ticket = admin.open(&json!({})).await;
    let by_id = admin.get(&ticket).await.ok(200);
    let path = format!("/v1/tickets/by-number/{}", by_id.json()["number"]);
    let by_number = admin.get(&path).await.ok(200);
    assert_eq!((&by_number.body, by_number.header("etag")), (&by_id.body, by_id.header("etag")));
    assert_eq!(by_number.header("content-location"), ticket);
    let known = admin.get(&path).header("if-none-match", by_id.header("etag")).await.ok(304);
    assert_eq!(known.header("content-location"), ticket);
    grace.get(&path).await.problem(404, "not_found");
    for none in ["0", "01", "+1", "99", "x"] {
        admin.get(&format!("/v1/tickets/by-number/{none}")).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn one_tag_is_the_same_bytes_in_every_process_and_at_every_time() {
    let world = World::new().await;
    let admin = world.admin().await;
    let grace = world.requester("grace@example.com").await;
    let ticket = admin.open(&json!({"tags": ["b", "a"], "requester": {"email": "grace@example.com"}})).await;
    admin.command(&ticket, "resolve", &json!({"code": "solved", "note": "x"})).await.ok(200);
    let there = world.another().await;
    for client in [&admin, &grace] {
        let other = there.client(client.token.clone());
        for path in ["", "/history", "/conversation", "?version=1", "?version=3"] {
            let (one, two) = (
                client.get(&format!("{ticket}{path}")).await.ok(200),
                other.get(&format!("{ticket}{path}")).await.ok(200),
            );
            assert_eq!((one.header("etag"), one.text()), (two.header("etag"), two.text()), "{path}");
        }
    }
}

#[tokio::test]
async fn a_ticket_with_more_events_than_a_snapshot_covers_reads_the_same() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    for n in 0..105 {
        let tag = json!({"tags": [format!("{n}")]});
        let (add, remove) =
            (admin.command(&ticket, "tags", &tag), admin.call(http::Method::DELETE, &format!("{ticket}/tags")));
        if n % 2 == 0 {
            add.await.ok(200)
        } else {
            remove.json(&json!({"tags": [format!("{}", n - 1)]})).header("if-match", "*").await.ok(200)
        };
    }
    let now = admin.get(&ticket).await.ok(200);
    let beside = world.another().await;
    let there = beside.client(admin.token.clone());
    assert_eq!(there.get(&ticket).await.ok(200).text(), now.text());
    for version in [1, 50, 99, 100, 101, 106] {
        let path = format!("{ticket}?version={version}");
        let (one, two) = (admin.get(&path).await.ok(200).json(), there.get(&path).await.ok(200).json());
        assert_eq!((&one["version"], &one), (&Value::from(version), &two));
    }
    assert_eq!(admin.events(&ticket).await.len(), 106);
}

/// Over the list of routes, so that a new one can't ignore what it does not know.
#[tokio::test]
async fn every_route_refuses_parameters_that_it_does_not_know() {
    let world = World::new().await;
    let (admin, grace) = (world.admin().await, world.requester("grace@example.com").await);
    let document = api::openapi();
    for route in api::routes().into_iter().filter(|route| !route.guard.is_public()) {
        let ticket = grace.open(&json!({})).await;
        let path = path_of(route.path, &ticket);
        // the one command that staff may not issue
        let client = if route.operation_id == "confirm_solved" { &grace } else { &admin };
        let call = client.call(route.method.clone(), &format!("{path}?of_no_use=1")).header("if-match", "*");
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let answer = match &operation["requestBody"]["content"]["application/json"]["example"] {
            Value::Null => call.await,
            example => call.json(example).await,
        };
        assert_eq!(answer.pointers(400, "invalid_query"), ["?of_no_use"], "{} {}", route.method, route.path);
        assert_eq!(admin.version(&ticket).await, 1, "{}", route.path);
    }
}
