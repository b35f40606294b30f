//! `Docket-On-Behalf-Of`: a product's server speaks for the people who ask.

use desk::NewKey;
use http::Method;
use serde_json::{Value, json};
use shared_kernel::Role;

use crate::client::{Call, Client};
use crate::world::{World, call, eventually};

const HEADER: &str = "docket-on-behalf-of";

fn open(client: &Client, who: &str) -> Call {
    client.post("/v1/tickets", &json!({"subject": "Fire", "body": "Help"})).header(HEADER, who)
}

fn actor_of(history: &Value) -> Value {
    history["items"][0]["actor"].clone()
}

#[tokio::test]
async fn acting_for_somebody_is_acting_as_them() {
    let world = World::new().await;
    let (product, grace) = (world.product().await, world.requester("grace@example.com").await);
    let person = world.person("grace@example.com").await.to_string();
    let key = &product.token.as_ref().unwrap()[3..19];
    for who in ["Grace@example.com", &person] {
        let opened = open(&product, who).await.ok(201);
        assert_eq!(opened.json()["requester"], json!({"person_id": person}));
        let ticket = opened.header("location");
        grace.get(ticket).await.ok(200);
        let history = product.get(&format!("{ticket}/history")).await.ok(200).json();
        assert_eq!(actor_of(&history), json!({"kind": "requester", "id": person, "via": key}));
        let hers = grace.get(&format!("{ticket}/history")).await.ok(200).json();
        assert_eq!(actor_of(&hers), json!({"kind": "requester", "id": person, "via": null}));
        // and so on the log
        let via = async |client: &Client| {
            let events = client.get(&format!("{ticket}/events")).await.ok(200).json();
            events["items"][0]["actorvia"].clone()
        };
        assert_eq!((via(&product).await, via(&grace).await), (json!(key), Value::Null));
        // judged as hers: public events only, no commands of agents
        let seen = product.get(ticket).header(HEADER, who).await.ok(200);
        assert_eq!(seen.body, grace.get(ticket).await.ok(200).body);
        let note = product.command(ticket, "notes", &json!({"body": "x"}));
        note.header(HEADER, who).await.problem(403, "forbidden");
    }
    let foreign = product.open(&json!({})).await;
    product.get(&foreign).await.ok(200);
    product.get(&foreign).header(HEADER, &person).await.problem(404, "not_found");
}

#[tokio::test]
async fn acting_for_others_needs_the_scope() {
    let world = World::new().await;
    world.person("grace@example.com").await;
    for client in [world.admin().await, world.requester("grace@example.com").await] {
        let refused = open(&client, "grace@example.com").await.problem(403, "forbidden");
        assert_eq!(refused["details"]["rule"], "act_for_others");
    }
    world.anyone().get("/v1/tickets").header(HEADER, "grace@example.com").await.problem(401, "unauthorized");
    world.anyone().get("/healthz").header(HEADER, "x").await.ok(200);
}

#[tokio::test]
async fn unknown_address_is_registered_and_unknown_id_refused() {
    let world = World::new().await;
    let product = world.product().await;
    let opened = open(&product, "new@example.com").await.ok(201).json();
    assert_eq!(opened["requester"]["person_id"], world.person("new@example.com").await.to_string());
    let head = world.head().await;
    for bad in ["01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11", "nobody", "", "a@b@c", "a@b.c, d@e.f"] {
        open(&product, bad).await.problem(400, "invalid_on_behalf_of");
    }
    open(&product, "a@example.com").header(HEADER, "b@example.com").await.problem(400, "invalid_on_behalf_of");
    // for what a requester may not, or what leads nowhere, nobody is registered
    product.get("/v1/projections").header(HEADER, "c@example.com").await.problem(403, "forbidden");
    product.get("/v1/nothing").header(HEADER, "c@example.com").await.problem(404, "not_found");
    product.call(Method::PATCH, "/v1/tickets").header(HEADER, "c@example.com").await.problem(405, "method_not_allowed");
    assert_eq!(world.head().await, head, "nothing was recorded");
}

#[tokio::test]
async fn nobody_acts_for_a_blocked_person_or_calls_as_one() {
    let world = World::new().await;
    let (product, grace) = (world.product().await, world.requester("grace@example.com").await);
    open(&grace, "x").await.problem(403, "forbidden");
    grace.open(&json!({})).await;
    let block = person_aggregate::Command::Block { reason: "insults".into() };
    let person = world.person("grace@example.com").await;
    world.server.desk.change::<person_aggregate::Person>(person, vec![block], call()).await.unwrap();
    let refused = async || (grace.get("/v1/tickets").await.status == 403).then_some(());
    eventually("the block", refused).await;
    grace.get("/v1/tickets").await.problem(403, "caller_blocked");
    open(&product, "grace@example.com").await.problem(403, "caller_blocked");
    let staff = json!({"subject": "x", "body": "x", "requester": {"email": "grace@example.com"}});
    product.post("/v1/tickets", &staff).await.problem(409, "person_blocked");
}

#[tokio::test]
async fn idempotency_keys_are_the_persons_own() {
    let world = World::new().await;
    let product = world.product().await;
    let one = open(&product, "one@example.com").key("k").await.ok(201);
    let two = open(&product, "two@example.com").key("k").await.ok(201);
    assert_ne!(one.header("location"), two.header("location"));
    let again = open(&product, "one@example.com").key("k").await.ok(201);
    assert_eq!((again.body.as_slice(), again.header("idempotent-replayed")), (one.body.as_slice(), "true"));
    // and the same with whichever key they call
    let own = world.client_with(NewKey::requester(world.person("one@example.com").await)).await;
    let body = json!({"subject": "Fire", "body": "Help"});
    let own = own.post("/v1/tickets", &body).key("k").await.ok(201);
    assert_eq!(own.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn what_counts_for_the_rate_is_the_key() {
    let rate = api::Rate { requests: 3.try_into().unwrap(), seconds: 86_400.try_into().unwrap() };
    let world = World::within(api::Limits { rate: Some(rate), ..api::Limits::default() }).await;
    let product = world.product().await;
    for n in 0..3 {
        product.get("/v1/tickets").header(HEADER, &format!("{n}@example.com")).await.ok(200);
    }
    product.get("/v1/tickets").header(HEADER, "4@example.com").await.problem(429, "rate_limited");
}

#[tokio::test]
async fn role_of_the_key_does_not_show() {
    let world = World::new().await;
    let agent = world.agent_id("product", &[]).await;
    let key = NewKey { scopes: vec![desk::Scope::ActForOthers], ..NewKey::staff(Role::Admin, agent) };
    let admin = world.client_with(key).await;
    let opened = open(&admin, "grace@example.com").await.ok(201).json();
    let allowed = opened["allowed_commands"].as_array().unwrap();
    assert!(allowed.contains(&json!("reply")) && !allowed.contains(&json!("note")), "{allowed:?}");
}
