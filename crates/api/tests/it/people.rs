//! `/v1/people`.

use http::Method;
use serde_json::{Value, json};
use shared_kernel::Role;

use crate::client::{Answer, Call, Client};
use crate::idempotency::assert_replayed;
use crate::world::World;

const NOBODY: &str = "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11";

async fn created(client: &Client, body: &Value) -> String {
    client.post("/v1/people", body).await.ok(201).header("location").to_owned()
}

fn command(client: &Client, person: &str, command: &str, body: &Value) -> Call {
    client.post(&format!("{person}/{command}"), body).header("if-match", "*")
}

fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn values(person: &Answer) -> Vec<String> {
    let person = person.json();
    let identities = person["identities"].as_array().unwrap().iter();
    identities.map(|identity| format!("{} {}", identity["identity"], identity["value"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn person_is_registered_and_renamed() {
    let world = World::new().await;
    let ada = world.agent("ada", &[]).await;
    let body = json!({"name": "Grace", "email": "Grace@Example.com", "external": "KD-1042"});
    let answer = ada.post("/v1/people", &body).key("k").await.ok(201);
    assert_replayed(&answer, &ada.post("/v1/people", &body).key("k").await);
    let path = answer.header("location").to_owned();
    let person = answer.json();
    assert_eq!(
        (&person["name"], &person["blocked"], &person["merged_into"]),
        (&json!("Grace"), &json!(false), &Value::Null)
    );
    let identities = json!([
        {"identity": 1, "kind": "email", "value": "Grace@Example.com", "issuer": null},
        {"identity": 2, "kind": "external", "value": "KD-1042", "issuer": null},
    ]);
    assert_eq!(person["identities"], identities);
    assert_eq!(ada.get(&path).await.ok(200).body, answer.body);
    // the same person asks when a ticket is opened for the address
    let ticket = ada.open(&json!({"requester": {"email": "grace@example.com"}})).await;
    assert_eq!(ada.get(&ticket).await.json()["requester"]["person_id"], person["id"]);
    let used = ada.post("/v1/people", &json!({"email": "grace@example.com"})).await.problem(409, "name_used");
    assert_eq!(used["details"], json!({"scope": "person-email", "holder": person["id"]}));

    let renamed = command(&ada, &path, "rename", &json!({"name": "Grace Hopper"})).await.ok(200).json();
    assert_eq!(renamed["name"], "Grace Hopper");
    assert_eq!(command(&ada, &path, "rename", &json!({"name": null})).await.ok(200).json()["name"], Value::Null);
    assert_eq!(ada.get(&format!("{path}?version={}", person["version"])).await.ok(200).body, answer.body);
    let history = ada.get(&format!("{path}/history")).await.ok(200).json();
    let types: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    let added = "person.identity_added";
    assert_eq!(types, ["person.registered", added, added, "person.renamed", "person.renamed"]);
}

#[tokio::test]
async fn unfit_person_is_refused() {
    let world = World::new().await;
    let ada = world.agent("ada", &[]).await;
    for (body, places) in [
        (json!({}), &[""][..]),
        (json!({"name": " ", "email": "x", "external": "\n", "y": 1}), &["/email", "/external", "/name", "/y"]),
        (json!({"email": "ka\u{200b}te@x.y", "name": "x\u{202e}"}), &["/email", "/name"]),
    ] {
        assert_eq!(ada.post("/v1/people", &body).await.pointers(422, "validation_failed"), places, "{body}");
    }
    let path = created(&ada, &json!({"name": "Grace"})).await;
    for (name, body, place) in [
        ("rename", json!({}), "/name"),
        ("identities", json!({}), ""),
        ("identities", json!({"email": "a@b.c", "external": "x"}), ""),
        ("identities", json!({"email": "a@-b.c"}), "/email"),
    ] {
        assert_eq!(command(&ada, &path, name, &body).await.pointers(422, "validation_failed"), [place], "{name}");
    }
    world.requester("grace@example.com").await.get(&path).await.problem(403, "forbidden");
    for missing in [NOBODY, "x", "grace@example.com"] {
        ada.get(&format!("/v1/people/{missing}")).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn identities_are_added_and_removed() {
    let world = World::new().await;
    let ada = world.agent("ada", &[]).await;
    let (one, two) =
        (created(&ada, &json!({"email": "one@example.com"})).await, created(&ada, &json!({"name": "Two"})).await);
    let add = async |person: &str, value: &Value| ada.post(&format!("{person}/identities"), value).await;
    let email = json!({"email": "new@example.com"});
    let added = add(&one, &email).await.ok(201);
    assert_eq!(values(&added), ["1 one@example.com", "2 new@example.com"]);
    assert_eq!(add(&one, &email).await.ok(201).body, added.body, "once more records nothing");
    let used = add(&two, &email).await.problem(409, "name_used");
    assert_eq!(used["details"]["holder"], id_of(&one));

    let remove = |tag: &'static str| {
        let call = ada.call(Method::DELETE, &format!("{one}/identities/2"));
        if tag.is_empty() { call } else { call.header("if-match", tag) }
    };
    remove("").await.problem(428, "precondition_required");
    remove("\"1\"").await.problem(412, "precondition_failed");
    remove("*").bytes("{\"x\": 1}").await.problem(422, "validation_failed");
    let removed = remove("\"3\"").key("k").await.ok(200);
    assert_eq!(values(&removed), ["1 one@example.com"]);
    assert_replayed(&removed, &remove("\"3\"").key("k").await);
    assert_eq!(remove("*").await.ok(200).body, removed.body, "once more records nothing");
    // and is free for somebody else
    assert_eq!(values(&add(&two, &email).await.ok(201)), ["1 new@example.com"]);
    for bad in ["0", "x", "01"] {
        let call = ada.call(Method::DELETE, &format!("{one}/identities/{bad}")).header("if-match", "*");
        call.await.problem(404, "not_found");
    }
    let never = ada.call(Method::DELETE, &format!("{one}/identities/9")).header("if-match", "*").await;
    assert_eq!(never.problem(409, "command_refused")["details"]["rule"], "no_such_identity");
}

#[tokio::test]
async fn merged_person_is_the_other_one() {
    let world = World::new().await;
    let lead = world.staff(Role::Lead, "lena", &[]).await;
    let (old, new) = (world.requester("old@example.com").await, world.requester("new@example.com").await);
    let ticket = old.open(&json!({})).await;
    new.get(&ticket).await.problem(404, "not_found");
    let (source, target) = (
        format!("/v1/people/{}", world.person("old@example.com").await),
        format!("/v1/people/{}", world.person("new@example.com").await),
    );
    let merge = async |into: &str| command(&lead, &source, "merge", &json!({"into": into})).await;
    assert_eq!(merge(NOBODY).await.pointers(422, "validation_failed"), ["/into"]);
    assert_eq!(merge(id_of(&source)).await.pointers(422, "validation_failed"), ["/into"]);
    let merged = merge(id_of(&target)).await.ok(200).json();
    assert_eq!(merged["merged_into"], id_of(&target));
    assert_eq!(lead.get(&target).await.json()["merged"], json!([id_of(&source)]));
    let refused = merge(id_of(&target)).await.problem(409, "command_refused");
    assert_eq!(refused["details"]["rule"], "merged_away");
    // what was theirs is the other's, for whoever looks from now on
    let fresh = world.requester("new@example.com").await;
    fresh.get(&ticket).await.ok(200);
    let position = world.head().await.to_string();
    let list = async |query: &str| {
        let answer = lead.get(query).header("docket-min-position", &position).await.ok(200).json();
        answer["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for name in ["old%40example.com", "new%40example.com", id_of(&source), id_of(&target)] {
        assert_eq!(list(&format!("/v1/tickets?requester={name}")).await, [id_of(&ticket)], "{name}");
    }
    assert_eq!(list("/v1/people?email=old%40example.com").await, [id_of(&target)]);
}

#[tokio::test]
async fn blocked_person_is_unblocked() {
    let world = World::new().await;
    let lead = world.staff(Role::Lead, "lena", &[]).await;
    let person = created(&lead, &json!({"email": "grace@example.com"})).await;
    let blocked = command(&lead, &person, "block", &json!({"reason": "Insults."})).await.ok(200).json();
    assert_eq!(blocked["blocked"], true);
    let opening = json!({"subject": "x", "body": "x", "requester": {"person_id": id_of(&person)}});
    lead.post("/v1/tickets", &opening).await.problem(409, "person_blocked");
    assert_eq!(command(&lead, &person, "unblock", &json!({})).await.ok(200).json()["blocked"], false);
    lead.post("/v1/tickets", &opening).await.ok(201);
    let ada = world.agent("ada", &[]).await;
    for name in ["block", "unblock", "merge"] {
        command(&ada, &person, name, &json!({})).await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn people_are_found_by_words_and_address() {
    let world = World::new().await;
    let lead = world.staff(Role::Lead, "lena", &[]).await;
    let mut paths = Vec::new();
    for (name, email) in [("Grace Hopper", "grace@example.com"), ("Ada Lovelace", "ada@example.com")] {
        paths.push(created(&lead, &json!({"name": name, "email": email})).await);
    }
    command(&lead, &paths[1], "block", &json!({"reason": "x"})).await.ok(200);
    let position = world.head().await.to_string();
    let list = async |query: &str| {
        let answer = lead.get(&format!("/v1/people?{query}")).header("docket-min-position", &position).await.ok(200);
        let items = answer.json()["items"].as_array().unwrap().clone();
        items.iter().filter_map(|person| person["name"].as_str().map(str::to_owned)).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(list("").await, "lena, Grace Hopper, Ada Lovelace");
    for query in ["q=grace+hop", "q=GRACE", "email=Grace%40Example.com", "q=grace%40example"] {
        assert_eq!(list(query).await, "Grace Hopper", "{query}");
    }
    assert_eq!(list("blocked=true").await, "Ada Lovelace");
    assert_eq!(list("q=lovelace&blocked=false").await, "");
    assert_eq!(list("email=nobody%40example.com").await, "");
    for bad in ["q=%20", "email=nobody", "blocked=1", "x=1"] {
        lead.get(&format!("/v1/people?{bad}")).await.problem(400, "invalid_query");
    }
    let shown = lead.get("/v1/people?email=grace%40example.com").await.ok(200).json();
    assert_eq!(shown["items"][0], lead.get(&paths[0]).await.ok(200).json(), "as they are read by themselves");
}
