//! The log as pages and as live streams.

use shared_kernel::Role;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Client;
use crate::world::World;

/// A live stream, read event by event.
struct Live {
    response: reqwest::Response,
    text: String,
}

impl Live {
    async fn open(client: &Client, path: &str, last: Option<&str>) -> Self {
        let mut request = reqwest::Client::new()
            .get(format!("{}{path}", client.url))
            .bearer_auth(client.token.as_ref().unwrap())
            .header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event: its id, its type, its data. `None` when the stream has ended.
    async fn next(&mut self) -> Option<(i64, String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = event.to_owned();
                let rest = rest.to_owned();
                self.text = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let Some(id) = field("id: ") else { continue };
                let data = serde_json::from_str(&field("data: ").unwrap()).unwrap();
                return Some((id.parse().unwrap(), field("event: ").unwrap(), data));
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await.expect("in time");
            self.text.push_str(std::str::from_utf8(&chunk.ok()??).unwrap());
        }
    }

    async fn take(&mut self, count: usize) -> Vec<i64> {
        let mut ids = Vec::new();
        while ids.len() < count {
            ids.push(self.next().await.expect("the stream goes on").0);
        }
        ids
    }
}

#[tokio::test]
async fn a_page_holds_events_in_order_and_names_the_next() {
    let world = World::new().await;
    let admin = world.admin().await;
    let head = world.head().await;
    for _ in 0..5 {
        let ticket = admin.open(&json!({})).await;
        admin.command(&ticket, "start", &json!({})).await.ok(200);
    }
    let mut path = format!("/v1/events?limit=3&after={head}");
    let mut seen = Vec::new();
    loop {
        let page = admin.get(&path).await.ok(200);
        let body = page.json();
        seen.extend(body["items"].as_array().unwrap().iter().map(|event| event["position"].as_i64().unwrap()));
        let Some(link) = page.headers.get("link") else {
            assert!(body["next_cursor"].is_null());
            break;
        };
        path = link.to_str().unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
    }
    assert_eq!(seen, (head + 1..=head + 10).collect::<Vec<_>>());

    let opened = admin.get(&format!("/v1/events?type=ticket.opened&after={}", head + 2)).await.ok(200).json();
    assert_eq!(opened["items"].as_array().unwrap().len(), 4);
    let event = &opened["items"][0];
    assert_eq!(
        (&event["specversion"], &event["id"], &event["type"]),
        (&"1.0".into(), &json!((head + 3).to_string()), &"ticket.opened".into())
    );

    for bad in ["x", "{}", "-1", "+1", "1e3", ""] {
        let answer = admin.get("/v1/events").header("last-event-id", bad).await;
        answer.problem(400, "invalid_last_event_id");
    }
    for bad in ["after=-1", "after=x", "limit=0", "limit=-1", "type=nope", "since=1", "after=1&after=2"] {
        admin.get(&format!("/v1/events?{bad}")).await.problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn a_live_stream_goes_on_and_a_client_that_comes_back_misses_nothing() {
    let world = World::new().await;
    let admin = world.admin().await;
    let head = world.head().await;
    admin.open(&json!({})).await;
    let mut live = Live::open(&admin, &format!("/v1/events?after={head}"), None).await;
    assert_eq!(live.take(1).await, [head + 1]);
    admin.open(&json!({})).await;
    let (id, kind, data) = live.next().await.unwrap();
    assert_eq!((id, kind.as_str(), &data["type"]), (head + 2, "ticket.opened", &"ticket.opened".into()));
    drop(live);

    for _ in 0..20 {
        admin.open(&json!({})).await;
    }
    let after = head + 2;
    let mut again = Live::open(&admin, &format!("/v1/events?after={}", head + 7), Some(&after.to_string())).await;
    assert_eq!(again.take(20).await, (head + 3..=head + 22).collect::<Vec<_>>(), "Last-Event-ID goes before after");
    let mut some = Live::open(&admin, &format!("/v1/events?limit=2&after={}", head + 4), None).await;
    assert_eq!(some.take(2).await, [head + 5, head + 6]);
    assert!(some.next().await.is_none(), "a stream with a limit ends");

    for bad in ["x", "-1", "1.0", "+1", "1e3", "99999999999999999999"] {
        let refused = admin.get("/v1/events").header("accept", "text/event-stream").header("last-event-id", bad).await;
        refused.problem(400, "invalid_last_event_id");
    }
}

#[tokio::test]
async fn a_ticket_has_a_stream_of_its_own() {
    let world = World::new().await;
    let admin = world.admin().await;
    let head = world.head().await;
    let (one, two) = (admin.open(&json!({})).await, admin.open(&json!({})).await);
    let mut live = Live::open(&admin, &format!("{two}/events"), None).await;
    assert_eq!(live.take(1).await, [head + 2]);
    for ticket in [&one, &two, &one, &two] {
        admin.command(ticket, "notes", &json!({"body": "x"})).await.ok(201);
    }
    assert_eq!(live.take(2).await, [head + 4, head + 6]);
    let page = admin.get(&format!("{two}/events?after={}", head + 2)).await.ok(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let missing = "/v1/tickets/00000000-0000-7000-8000-000000000000/events";
    admin.get(missing).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_requester_sees_the_public_events_of_their_own_tickets() {
    let world = World::new().await;
    let admin = world.admin().await;
    let grace = world.requester("grace@example.com").await;
    world.teams(&["secret"]).await;
    let own =
        admin.open(&json!({"requester": {"email": "grace@example.com"}, "tags": ["secret"], "team": "secret"})).await;
    let foreign = admin.open(&json!({"requester": {"email": "eve@example.com"}})).await;
    let mut live = Live::open(&grace, "/v1/events", None).await;
    let mut whole = Live::open(&grace, &format!("{own}/events"), None).await;
    for ticket in [&own, &foreign] {
        admin.command(ticket, "notes", &json!({"body": "secret"})).await.ok(201);
        admin.command(ticket, "replies", &json!({"body": "hello"})).await.ok(201);
    }
    for stream in [&mut live, &mut whole] {
        let (_, kind, opened) = stream.next().await.unwrap();
        assert_eq!(kind, "ticket.opened");
        let (_, kind, replied) = stream.next().await.unwrap();
        assert_eq!(kind, "ticket.public_reply_added");
        assert!(!opened.to_string().contains("secret") && !replied.to_string().contains("secret"));
    }
    let page = grace.get("/v1/events").await.ok(200).json();
    let types: Vec<_> = page["items"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["ticket.opened", "ticket.public_reply_added"]);
    grace.get(&format!("{foreign}/events")).await.problem(404, "not_found");
}

#[tokio::test]
async fn an_agent_sees_the_events_of_their_teams() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ada = world.agent("ada", &["first"]).await;
    world.teams(&["second"]).await;
    let head = world.head().await;
    for team in ["first", "second", "first"] {
        admin.open(&json!({"team": team})).await;
    }
    let mut live = Live::open(&ada, &format!("/v1/events?after={head}"), None).await;
    assert_eq!(live.take(2).await, [head + 1, head + 3]);
}

#[tokio::test]
async fn a_revoked_key_ends_its_streams() {
    let world = World::new().await;
    let lead = world.staff(Role::Lead, "lena", &[]).await;
    let head = world.head().await;
    let mut live = Live::open(&lead, &format!("/v1/events?after={head}"), None).await;
    lead.open(&json!({})).await;
    assert_eq!(live.take(1).await, [head + 1]);
    let id = desk::KeyId::parse(lead.token.as_ref().unwrap().split('_').nth(1).unwrap()).unwrap();
    world.server.desk.keys().revoke(&id, crate::world::call()).await.unwrap();
    assert!(live.next().await.is_none(), "the stream has ended");
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams() {
    let mut world = World::new().await;
    let admin = world.admin().await;
    admin.open(&json!({})).await;
    let mut live = Live::open(&admin, "/v1/events?type=ticket.opened", None).await;
    live.take(1).await;
    world.server.tell_to_stop();
    assert!(live.next().await.is_none(), "the stream has ended");
    tokio::time::timeout(Duration::from_secs(10), world.server.stopped()).await.expect("it doesn't wait for streams");
}

const EVENTS: i64 = 300;

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_that_come_and_go_each_see_all_of_it_once() {
    let world = World::new().await;
    let admin = world.admin().await;
    let head = world.head().await;
    let mut clients = tokio::task::JoinSet::new();
    for n in 0..50_usize {
        let admin = admin.clone();
        clients.spawn(async move {
            let mut seen = Vec::new();
            while seen.last() != Some(&(head + EVENTS)) {
                let last = seen.last().unwrap_or(&head).to_string();
                let mut live = Live::open(&admin, "/v1/events", Some(&last)).await;
                let some = (20 + n).min(usize::try_from(EVENTS).unwrap() - seen.len());
                seen.extend(live.take(some).await);
            }
            assert_eq!(seen, (head + 1..=head + EVENTS).collect::<Vec<_>>());
        });
    }
    let opened: BTreeSet<String> = {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..EVENTS {
            let admin = admin.clone();
            tasks.spawn(async move { admin.open(&json!({})).await });
        }
        tasks.join_all().await.into_iter().collect()
    };
    assert_eq!(opened.len(), 300);
    clients.join_all().await;
}
