//! History and conversation, as staff and as a requester read them.

use serde_json::{Value, json};

use crate::client::Client;
use crate::world::World;

/// A ticket on which everything has happened that there is to hide.
async fn eventful(world: &World, admin: &Client, grace: &Client) -> String {
    world.agent_id("root", &["secret-team"]).await;
    let follower = world.person("secret@example.com").await.to_string();
    let ticket = grace.open(&json!({"source_id": "<secret-source@example.com>"})).await;
    let other = admin.open(&json!({"subject": "secret other"})).await;
    let other = other.rsplit('/').next().unwrap();
    for (command, body) in [
        ("assign", json!({"assignee": "root"})),
        ("notes", json!({"body": "secret note"})),
        ("tags", json!({"tags": ["secret-tag"]})),
        ("categorize", json!({"category": "secret category"})),
        ("followers", json!({"follower": follower})),
        ("link", json!({"kind": "relates_to", "other": other})),
        ("prioritize", json!({"priority": "high", "reason": "secret reason"})),
        ("replies", json!({"body": "We come.", "source_id": "<secret-reply@example.com>"})),
        ("hold", json!({"reason": "secret hold", "wake_at": "2099-01-01T00:00:00Z"})),
        ("resume", json!({})),
        ("route", json!({"team": "secret-team"})),
        ("resolve", json!({"code": "solved", "note": "secret resolution"})),
        ("reopen", json!({"reason": "secret reopening"})),
    ] {
        let answer = admin.command(&ticket, command, &body).await;
        assert!(answer.status < 300, "{command}: {}", answer.text());
    }
    grace.command(&ticket, "replies", &json!({"body": "Thank you"})).await.ok(201);
    ticket
}

#[tokio::test]
async fn a_history_tells_who_did_what_and_when() {
    let world = World::new().await;
    let (admin, grace) = (world.admin().await, world.requester("grace@example.com").await);
    let head = world.head().await;
    let ticket = grace.open(&json!({})).await;
    let noted = admin.command(&ticket, "notes", &json!({"body": "x"})).await;
    let answer = admin.get(&format!("{ticket}/history")).await.ok(200);
    assert_eq!((answer.header("etag"), answer.header("vary")), ("\"2\"", "Authorization, Docket-On-Behalf-Of"));
    let history = answer.json();
    assert_eq!(history["next_cursor"], Value::Null);
    let [opened, note] = &history["items"].as_array().unwrap()[..] else { panic!("{history}") };
    assert_eq!(
        (&opened["type"], &opened["version"], &opened["position"]),
        (&json!("ticket.opened"), &json!(1), &json!(head + 1))
    );
    let (person, root) =
        (world.person("grace@example.com").await.to_string(), world.agent_id("root", &[]).await.to_string());
    assert_eq!(opened["actor"], json!({"kind": "requester", "id": person, "via": null}));
    assert_eq!(opened["data"]["personal"][&person]["subject"], "The printer is on fire");
    assert_eq!(opened["time"], admin.get(&ticket).await.json()["opened_at"]);
    assert_eq!((&note["type"], &note["version"]), (&json!("ticket.internal_note_added"), &json!(2)));
    assert_eq!(note["actor"], json!({"kind": "agent", "id": root, "via": null}));
    assert_eq!(note["data"]["personal"], json!({person: {"body": "x"}}));
    assert_eq!(note["position"].to_string(), noted.header("docket-position"));
    assert!(note["cause"]["command_id"].as_str().is_some_and(|id| id.parse::<uuid::Uuid>().is_ok()));
}

#[tokio::test]
async fn a_requester_reads_nothing_internal_anywhere() {
    let world = World::new().await;
    let (admin, grace) = (world.admin().await, world.requester("grace@example.com").await);
    let ticket = eventful(&world, &admin, &grace).await;
    let version = admin.version(&ticket).await;
    let mut paths = vec![ticket.clone(), format!("{ticket}/history"), format!("{ticket}/conversation")];
    paths.extend((1..=version).map(|v| format!("{ticket}?version={v}")));
    for path in &paths {
        let text = grace.get(path).await.ok(200).text();
        assert!(!text.contains("secret"), "{path}: {text}");
    }
    let seen = grace.get(&ticket).await.json();
    for (member, value) in [
        ("team", Value::Null),
        ("category", Value::Null),
        ("tags", json!([])),
        ("followers", json!([])),
        ("links", json!([])),
    ] {
        assert_eq!(seen[member], value, "{member}");
    }
    let follower = world.person("secret@example.com").await.to_string();
    let full = admin.get(&ticket).await.text();
    for hidden in ["secret-team", "secret-tag", "secret category", &follower] {
        assert!(full.contains(hidden), "staff see {hidden}");
    }
    let public = [
        "ticket.opened",
        "ticket.agent_assigned",
        "ticket.priority_changed",
        "ticket.public_reply_added",
        "ticket.put_on_hold",
        "ticket.resumed",
        "ticket.agent_unassigned",
        "ticket.agent_assigned",
        "ticket.resolved",
        "ticket.reopened",
        "ticket.requester_replied",
    ];
    assert_eq!(grace.events(&ticket).await, public);
    assert_eq!(admin.events(&ticket).await.len(), usize::try_from(version).unwrap());
    // the answer to a command, a problem, a replay: nothing there either
    for key in ["one", "one"] {
        let reply = grace.post(&format!("{ticket}/replies"), &json!({"body": "More"})).key(key).await.ok(201);
        assert!(!reply.text().contains("secret"), "{}", reply.text());
    }
    let refused = grace.post(&format!("{ticket}/reopen"), &json!({})).header("if-match", "\"1\"").await;
    refused.problem(412, "precondition_failed");
    assert!(!refused.text().contains("secret"), "{}", refused.text());
}

#[tokio::test]
async fn a_conversation_is_what_was_written_as_the_caller_may_see_it() {
    let world = World::new().await;
    let (admin, grace) = (world.admin().await, world.requester("grace@example.com").await);
    let ticket = eventful(&world, &admin, &grace).await;
    let read = async |client: &Client| {
        let conversation = client.get(&format!("{ticket}/conversation")).await.ok(200).json();
        conversation["items"].as_array().unwrap().clone()
    };
    let short = |items: &[Value]| {
        let pair = |m: &Value| {
            format!(
                "{} {}: {}",
                m["author"]["id"].as_str().unwrap(),
                m["kind"].as_str().unwrap(),
                m["body"].as_str().unwrap()
            )
        };
        items.iter().map(pair).collect::<Vec<_>>()
    };
    let staff = read(&admin).await;
    let (person, root) = (world.person("grace@example.com").await, world.agent_id("root", &[]).await);
    let (note, reply) = (format!("{root} note: secret note"), format!("{root} reply: We come."));
    let (opening, thanks) =
        (format!("{person} opening: Please come with water."), format!("{person} requester_reply: Thank you"));
    let resolution = format!("{root} note: secret resolution");
    assert_eq!(short(&staff), [&opening, &note, &reply, &resolution, &thanks].map(String::as_str));
    let requester = read(&grace).await;
    assert_eq!(short(&requester), [&opening, &reply, &thanks].map(String::as_str));
    assert!(staff.iter().skip(1).all(|m| m["message_id"].as_str().is_some_and(|id| id.parse::<uuid::Uuid>().is_ok())));
    assert!(staff.is_sorted_by_key(|m| m["version"].as_i64()));
    assert!(requester.iter().all(|m| staff.contains(m)), "one message is one thing for all who see it");
}

/// Walks from page to page; each is the answer to the `Link` of the one before.
async fn walk(client: &Client, first: String) -> Vec<Value> {
    let name = if first.contains("/events") { "after" } else { "cursor" };
    let mut items = Vec::new();
    let mut next = Some(first);
    while let Some(path) = next {
        let page = client.get(&path).await.ok(200);
        let body = page.json();
        items.extend(body["items"].as_array().unwrap().clone());
        next = page.find("link").map(|link| {
            let (path, rest) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
            assert_eq!(rest, "; rel=\"next\"");
            let cursor = body["next_cursor"].as_str().unwrap();
            assert!(path.contains(&format!("{name}={cursor}&")), "{path}");
            path.to_owned()
        });
        assert_eq!(next.is_none(), body["next_cursor"].is_null());
    }
    items
}

#[tokio::test]
async fn history_and_conversation_are_read_page_by_page() {
    let world = World::new().await;
    let (admin, grace) = (world.admin().await, world.requester("grace@example.com").await);
    let ticket = eventful(&world, &admin, &grace).await;
    for n in 0..7 {
        admin.command(&ticket, "notes", &json!({"body": format!("note {n}")})).await.ok(201);
    }
    for (client, noun) in [(&admin, "history"), (&admin, "conversation"), (&grace, "history"), (&grace, "conversation")]
    {
        let path = format!("{ticket}/{noun}");
        let whole = client.get(&format!("{path}?limit=1000")).await.ok(200).json();
        assert!(whole["next_cursor"].is_null());
        let whole = whole["items"].as_array().unwrap();
        for limit in [1, 2, 3, whole.len() - 1, whole.len()] {
            assert_eq!(&walk(client, format!("{path}?limit={limit}")).await, whole, "{noun} by {limit}");
        }
        let past = client.get(&format!("{path}?cursor=4711")).await.ok(200).json();
        assert_eq!(past, json!({"items": [], "next_cursor": null}));
        let faults = client.get(&format!("{path}?cursor=x&limit=0")).await.pointers(400, "invalid_query");
        assert_eq!(faults, ["?cursor", "?limit"]);
        for bad in ["cursor=0", "cursor=-1", "cursor=99999999999999999999", "limit=-1", "after=1", "cursor=1&cursor=1"]
        {
            client.get(&format!("{path}?{bad}")).await.problem(400, "invalid_query");
        }
    }
    // fifty where nothing is said
    for n in 0..60 {
        admin.command(&ticket, "notes", &json!({"body": format!("note {n}")})).await.ok(201);
    }
    let page = admin.get(&format!("{ticket}/conversation")).await.ok(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn a_page_of_large_events_ends_at_a_mebibyte() {
    let world = World::new().await;
    let admin = world.admin().await;
    let head = world.head().await;
    let ticket = admin.open(&json!({})).await;
    let long = "x ".repeat(30_000);
    for _ in 0..50 {
        admin.command(&ticket, "notes", &json!({"body": long})).await.ok(201);
    }
    for (noun, all) in [("history", 51), ("conversation", 51), ("events", 51)] {
        let path = format!("{ticket}/{noun}?limit=200");
        let page = admin.get(&path).await.ok(200).json();
        // with the one that brings it beyond
        let items = page["items"].as_array().unwrap();
        assert!((17..=19).contains(&items.len()), "{noun}: {}", items.len());
        assert_eq!(walk(&admin, path).await.len(), all, "{noun}");
    }
    assert_eq!(walk(&admin, format!("/v1/events?limit=200&after={head}")).await.len(), 51);

    let resolve = admin.post(&format!("{ticket}/resolve"), &json!({"code": "solved"}));
    let stale = resolve.header("if-match", "\"1\"").await.problem(412, "precondition_failed");
    let details = &stale["details"];
    let told = details["events"].as_array().unwrap();
    assert!((17..=19).contains(&told.len()), "{}", told.len());
    assert_eq!(details["current_version"], 51);
    let cursor = details["next_cursor"].as_str().unwrap();
    assert!(stale["detail"].as_str().unwrap().contains(&format!("cursor {cursor}")), "{stale}");
    let rest = walk(&admin, format!("{ticket}/history?cursor={cursor}&limit=200")).await;
    assert_eq!(told.len() + rest.len(), 50);
}
