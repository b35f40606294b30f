//! The order of checks, by groups: who calls → the route and its guard → the request by itself → a replayed key → the record →
//! its version → its state. A group is decided before the next one; nothing is promised within a group.
//!
//! A request is made with two faults at once, for each pair of different groups; the earlier one is answered.

use http::Method;
use serde_json::json;

use crate::client::{Answer, Client};
use crate::world::{Server, World, config};

/// The faults: their group, and how each is answered.
const FAULTS: [(&str, u8, u16, &str); 14] = [
    ("no key", 0, 401, "unauthorized"),
    ("rate", 0, 429, "rate_limited"),
    ("method", 1, 405, "method_not_allowed"),
    ("role", 1, 403, "forbidden"),
    ("media type", 2, 415, "unsupported_media_type"),
    ("too large", 2, 413, "content_too_large"),
    ("no if-match", 2, 428, "precondition_required"),
    ("bad key", 2, 400, "invalid_idempotency_key"),
    ("query", 2, 400, "invalid_query"),
    ("bad body", 2, 422, "validation_failed"),
    ("used key", 3, 422, "idempotency_key_reused"),
    ("no ticket", 4, 404, "not_found"),
    ("stale", 5, 412, "precondition_failed"),
    ("state", 6, 409, "illegal_transition"),
];

/// Faults that can't meet in one request.
const APART: [(&str, &str); 2] = [("no if-match", "stale"), ("bad key", "used key")];

/// How many requests the keys may send.
const RATE: u32 = 30;

struct Ground {
    world: World,
    /// Another process, to which both keys have sent all that they may.
    exhausted: Server,
    admin: Client,
    grace: Client,
    ticket: String,
}

impl Ground {
    async fn new() -> Self {
        let world = World::new().await;
        let (admin, grace) = (world.admin().await, world.requester("grace@example.com").await);
        let ticket = grace.open(&json!({})).await;
        for client in [&admin, &grace] {
            client.post(&format!("{ticket}/replies"), &json!({"body": "We come."})).key("used").await.ok(201);
        }
        let rate = api::Rate { requests: RATE.try_into().unwrap(), seconds: 86_400.try_into().unwrap() };
        let limits = api::Limits { rate: Some(rate), ..api::Limits::default() };
        let exhausted = world.another_with(api::Config { limits, ..config() }).await;
        for client in [&admin, &grace] {
            let client = exhausted.client(client.token.clone());
            for _ in 0..RATE {
                client.get("/v1/nothing").await.ok(404);
            }
        }
        Self { world, exhausted, admin, grace, ticket }
    }

    /// A request to resume a ticket (that is open, and so can't be resumed) with these faults.
    async fn send(&self, faults: &[&str]) -> Answer {
        let has = |fault: &str| faults.contains(&fault);
        let anyone = self.world.anyone();
        // a requester may never resume
        let client = if has("role") { &self.grace } else { &self.admin };
        let client = if has("no key") { &anyone } else { client };
        let exhausted = self.exhausted.client(client.token.clone());
        let client = if has("rate") { &exhausted } else { client };
        let missing = "/v1/tickets/01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11".to_owned();
        let ticket = if has("no ticket") { &missing } else { &self.ticket };
        // what is not to fail by the state adds a tag, which needs If-Match too
        let command = if has("state") { "resume" } else { "tags" };
        let query = if has("query") { "?x=1" } else { "" };
        let method = if has("method") { Method::PATCH } else { Method::POST };
        let mut call = client.call(method, &format!("{ticket}/{command}{query}"));
        let mut body = if has("state") { json!({}) } else { json!({"tags": ["a"]}) };
        if has("bad body") {
            body["unknown"] = json!(1);
        }
        let body = if has("too large") { " ".repeat(1024 * 1024 + 1) } else { body.to_string() };
        call =
            call.bytes(body).header("content-type", if has("media type") { "text/plain" } else { "application/json" });
        if has("used key") {
            call = call.key("used");
        } else if has("bad key") {
            call = call.key("");
        }
        if !has("no if-match") {
            call = call.header("if-match", if has("stale") { "\"1\"" } else { "*" });
        }
        call.await
    }
}

#[tokio::test]
async fn each_fault_has_its_answer() {
    let ground = Ground::new().await;
    for (fault, _, status, code) in FAULTS {
        let answer = ground.send(&[fault]).await;
        assert_eq!(answer.status, status, "{fault}: {}", answer.text());
        answer.problem(status, code);
    }
    ground.send(&[]).await.ok(200);
}

#[tokio::test]
async fn fault_of_the_earlier_group_is_answered() {
    let ground = Ground::new().await;
    for (index, (first, group, status, code)) in FAULTS.iter().enumerate() {
        for (second, ..) in FAULTS[index + 1..].iter().filter(|(_, later, ..)| later > group) {
            if APART.contains(&(first, second)) {
                continue;
            }
            let answer = ground.send(&[first, second]).await;
            assert_eq!(answer.status, *status, "{first} and {second}: {}", answer.text());
            answer.problem(*status, code);
        }
    }
    assert_eq!(ground.admin.version(&ground.ticket).await, 3, "nothing of all this was recorded");
}

#[tokio::test]
async fn fault_of_a_group_hides_all_later_groups() {
    let ground = Ground::new().await;
    for (fault, group, status, _) in FAULTS {
        let later = FAULTS.iter().filter(|(_, later, ..)| *later > group).map(|(later, ..)| *later);
        let later = later.filter(|later| !APART.contains(&(fault, later)));
        let faults = later.chain([fault]).collect::<Vec<_>>();
        let answer = ground.send(&faults).await;
        assert_eq!(answer.status, status, "{faults:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn replay_comes_before_version_and_state() {
    let ground = Ground::new().await;
    let (ticket, ada) = (ground.ticket.clone(), &ground.admin);
    let start = async || ada.post(&format!("{ticket}/start"), &json!({})).header("if-match", "*").key("k").await;
    let ticket2 = ada.open(&json!({})).await;
    let hold = async || {
        let call = ada.post(&format!("{ticket2}/hold"), &json!({"reason": "x"})).key("hold");
        call.header("if-match", "\"1\"").await
    };
    start().await.problem(409, "illegal_transition");
    let first = hold().await.ok(200);
    let again = hold().await.ok(200);
    assert_eq!((&first.body, again.header("idempotent-replayed")), (&again.body, "true"), "stale by now, and illegal");
}

#[tokio::test]
async fn forbidden_by_the_ticket_comes_before_its_version() {
    let world = World::new().await;
    let lead = world.staff(shared_kernel::Role::Lead, "lena", &[]).await;
    let (ada, bob, finn) =
        (world.agent("ada", &[]).await, world.agent("bob", &[]).await, world.requester("finn@example.com").await);
    let ticket = lead.open(&json!({"requester": {"email": "grace@example.com"}})).await;
    lead.command(&ticket, "followers", &json!({"follower": "finn@example.com"})).await.ok(200);
    lead.command(&ticket, "assign", &json!({"assignee": "ada"})).await.ok(200);
    let bobs = json!({"assignee": "bob"});
    for (client, command, body, rule) in [
        (&ada, "assign", &bobs, "assign_others"),
        (&bob, "unassign", &json!({}), "assign_others"),
        (&finn, "confirm", &json!({}), "not_own_ticket"),
    ] {
        let path = format!("{ticket}/{command}");
        for tag in ["\"1\"", "*"] {
            let answer = client.post(&path, body).key("of-no-use").header("if-match", tag).await;
            assert_eq!(answer.problem(403, "forbidden")["details"]["rule"], rule, "{command} {tag}");
        }
    }
}

#[tokio::test]
async fn replay_comes_before_what_the_ticket_forbids() {
    let world = World::new().await;
    let lead = world.staff(shared_kernel::Role::Lead, "lena", &[]).await;
    let ada = world.agent("ada", &[]).await;
    world.agents(&["bob"]).await;
    let ticket = lead.open(&json!({})).await;
    ada.command(&ticket, "assign", &json!({"assignee": "ada"})).await.ok(200);
    let give_back = async || ada.command(&ticket, "unassign", &json!({})).key("back").await;
    let first = give_back().await.ok(200);
    lead.command(&ticket, "assign", &json!({"assignee": "bob"})).await.ok(200);
    assert_eq!(give_back().await.ok(200).body, first.body);
    ada.command(&ticket, "unassign", &json!({})).key("again").await.problem(403, "forbidden");
}
