//! The order of checks: 401, 404, 403, 405, 429, 413/415, replayed key, 428, 412, 400/422, 409.
//!
//! A request is made with two faults at once, for each pair that can meet; the earlier one is answered.

use http::Method;
use serde_json::json;

use crate::client::{Answer, Client};
use crate::world::{Server, World, config};

/// The faults in their order, with what each is answered with.
const FAULTS: [(&str, u16, &str); 14] = [
    ("no key", 401, "unauthorized"),
    ("rate", 429, "rate_limited"),
    ("method", 405, "method_not_allowed"),
    ("role", 403, "forbidden"),
    ("no ticket", 404, "not_found"),
    ("media type", 415, "unsupported_media_type"),
    ("too large", 413, "content_too_large"),
    ("used key", 422, "idempotency_key_reused"),
    ("no if-match", 428, "precondition_required"),
    ("stale", 412, "precondition_failed"),
    ("bad key", 400, "invalid_idempotency_key"),
    ("query", 400, "invalid_query"),
    ("bad body", 422, "validation_failed"),
    ("state", 409, "illegal_transition"),
];

/// Pairs that can't meet in one request, or between which there is no order. (A method that a path does not take is no
/// command that a role may or may not issue.)
const APART: [(&str, &str); 5] = [
    ("no if-match", "stale"),
    ("used key", "bad key"),
    ("media type", "too large"),
    ("bad key", "query"),
    ("role", "method"),
];

/// How many requests the keys may send, and how many refusals are made in order.
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
async fn each_fault_alone_is_answered_with_its_own() {
    let ground = Ground::new().await;
    for (fault, status, code) in FAULTS {
        let answer = ground.send(&[fault]).await;
        assert_eq!(answer.status, status, "{fault}: {}", answer.text());
        answer.problem(status, code);
    }
    ground.send(&[]).await.ok(200);
}

#[tokio::test]
async fn of_two_faults_the_one_that_comes_first_in_the_order_is_answered() {
    let ground = Ground::new().await;
    for (index, (first, status, code)) in FAULTS.iter().enumerate() {
        for (second, ..) in &FAULTS[index + 1..] {
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
async fn all_faults_at_once_are_answered_with_the_first() {
    let ground = Ground::new().await;
    for start in 0..FAULTS.len() {
        let together = |fault: &&str| *fault != "method" || FAULTS[start].0 != "role";
        let faults = FAULTS[start..].iter().map(|(fault, ..)| *fault).filter(together).collect::<Vec<_>>();
        let answer = ground.send(&faults).await;
        assert_eq!(answer.status, FAULTS[start].1, "{faults:?}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_repetition_is_answered_before_any_condition_or_state_is_looked_at() {
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

/// Whether one may can depend on whose the ticket is, and on what the command says: 403 all the same, and in its place.
#[tokio::test]
async fn what_the_ticket_forbids_the_caller_comes_before_its_version_and_the_rest() {
    let world = World::new().await;
    let lead = world.staff(shared_kernel::Role::Lead, "lena", &[]).await;
    let (ada, bob, finn) =
        (world.agent("ada", &[]).await, world.agent("bob", &[]).await, world.requester("finn@example.com").await);
    let ticket = lead.open(&json!({"requester": {"email": "grace@example.com"}})).await;
    lead.command(&ticket, "followers", &json!({"follower": "finn@example.com"})).await.ok(200);
    lead.command(&ticket, "assign", &json!({"assignee": "ada"})).await.ok(200);
    let bobs = json!({"assignee": "bob"});
    let unknown = json!({"assignee": "bob", "x": 1});
    for (client, command, body, rule) in [
        (&ada, "assign", &bobs, "assign_others"),
        (&bob, "unassign", &json!({}), "assign_others"),
        (&bob, "unassign", &unknown, "assign_others"),
        (&finn, "confirm", &json!({}), "not_own_ticket"),
        (&finn, "confirm", &unknown, "not_own_ticket"),
    ] {
        let path = format!("{ticket}/{command}");
        // nothing to match, something stale, something that is no tag
        for tag in [None, Some("\"1\""), Some("*"), Some("bad")] {
            let call = client.post(&path, body).key("of-no-use");
            let answer = match tag {
                Some(tag) => call.header("if-match", tag).await,
                None => call.await,
            };
            let refused = answer.problem(403, "forbidden");
            assert_eq!(refused["details"]["rule"], rule, "{command} {tag:?}");
        }
    }
    // what the command says can't be known of what can't be read
    ada.post(&format!("{ticket}/assign"), &unknown).await.problem(428, "precondition_required");
    ada.command(&ticket, "assign", &unknown).await.problem(422, "validation_failed");
}

/// A repetition gets its answer also where what it did is the reason why it could not be done again.
#[tokio::test]
async fn a_repetition_comes_before_what_the_ticket_forbids_meanwhile() {
    let world = World::new().await;
    let lead = world.staff(shared_kernel::Role::Lead, "lena", &[]).await;
    let ada = world.agent("ada", &[]).await;
    let ticket = lead.open(&json!({})).await;
    ada.command(&ticket, "assign", &json!({"assignee": "ada"})).await.ok(200);
    let give_back = async || ada.command(&ticket, "unassign", &json!({})).key("back").await;
    let first = give_back().await.ok(200);
    lead.command(&ticket, "assign", &json!({"assignee": "bob"})).await.ok(200);
    assert_eq!(give_back().await.ok(200).body, first.body);
    ada.command(&ticket, "unassign", &json!({})).key("again").await.problem(403, "forbidden");
}
