//! `/v1/teams`.

use serde_json::{Value, json};
use shared_kernel::Role;

use crate::idempotency::assert_replayed;
use crate::world::World;

const NOBODY: &str = "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11";

#[tokio::test]
async fn team_is_created_revised_and_retired() {
    let world = World::new().await;
    let admin = world.admin().await;
    let body = json!({"handle": "facilities", "name": "Facilities", "description": "Doors and lamps."});
    let created = admin.post("/v1/teams", &body).key("k").await.ok(201);
    let team = created.json();
    let id = team["id"].as_str().unwrap();
    let path = format!("/v1/teams/{id}");
    assert_eq!((created.header("location"), created.header("etag")), (path.as_str(), "\"1\""));
    assert_eq!((&team["handle"], &team["retired"], &team["version"]), (&json!("facilities"), &json!(false), &json!(1)));
    assert_replayed(&created, &admin.post("/v1/teams", &body).key("k").await);
    let used = admin.post("/v1/teams", &body).await.problem(409, "name_used");
    assert_eq!(used["details"], json!({"scope": "team-handle", "holder": id}));

    let revise = |body: Value, tag: &'static str| admin.post(&format!("{path}/revise"), &body).header("if-match", tag);
    let named = revise(json!({"name": "Gardens"}), "\"1\"").await.ok(200).json();
    assert_eq!((&named["name"], &named["description"]), (&json!("Gardens"), &json!("Doors and lamps.")));
    let described = revise(json!({"description": null}), "\"2\"").await.ok(200);
    assert_eq!((&described.json()["description"], described.header("etag")), (&Value::Null, "\"3\""));
    let nothing = revise(json!({}), "*").await.ok(200);
    assert_eq!(nothing.header("etag"), "\"3\"", "it changes nothing");
    let stale = revise(json!({"name": "x"}), "\"1\"").await.problem(412, "precondition_failed");
    let types = stale["details"]["events"].as_array().unwrap().iter().map(|event| event["type"].clone());
    assert_eq!(types.collect::<Vec<_>>(), ["team.revised", "team.revised"]);
    admin.post(&format!("{path}/revise"), &json!({})).await.problem(428, "precondition_required");

    let retired = admin.post(&format!("{path}/retire"), &json!({})).header("if-match", "\"3\"").await.ok(200).json();
    assert_eq!(retired["retired"], true);
    let refused = revise(json!({"name": "x"}), "*").await.problem(409, "command_refused");
    assert_eq!(refused["details"]["rule"], "retired");
    admin.post("/v1/teams", &body).await.problem(409, "name_used");
}

#[tokio::test]
async fn team_is_read_by_id_and_handle_as_it_is_and_was() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ada = world.agent("ada", &[]).await;
    let body = json!({"handle": "a/b c", "name": "One"});
    let created = admin.post("/v1/teams", &body).await.ok(201);
    let path = created.header("location").to_owned();
    admin.post(&format!("{path}/revise"), &json!({"name": "Two"})).header("if-match", "*").await.ok(200);
    for path in [&path, &path.to_uppercase().replace("/V1/TEAMS", "/v1/teams"), "/v1/teams/a%2Fb%20c"] {
        let team = ada.get(path).await.ok(200);
        assert_eq!((&team.json()["name"], team.header("etag")), (&json!("Two"), "\"2\""), "{path}");
        assert_eq!(ada.get(&format!("{path}?version=1")).await.ok(200).body, created.body);
        ada.get(path).header("if-none-match", "\"2\"").await.ok(304);
        ada.get(&format!("{path}?version=3")).await.problem(404, "no_such_version");
    }
    let history = ada.get(&format!("{path}/history?limit=1")).await.ok(200);
    assert_eq!(history.json()["items"][0]["type"], "team.created");
    assert_eq!(history.json()["next_cursor"], "1");
    assert_eq!(history.header("link"), format!("<{path}/history?cursor=1&limit=1>; rel=\"next\""));
    for missing in [NOBODY, "nowhere", "%FF"] {
        ada.get(&format!("/v1/teams/{missing}")).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn id_of_another_noun_is_not_found() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (team, agent, person) = (
        world.team("facilities").await.to_string(),
        world.agent_id("ada", &[]).await.to_string(),
        world.person("grace@example.com").await.to_string(),
    );
    let ticket = admin.open(&json!({})).await.rsplit('/').next().unwrap().to_owned();
    for noun in ["teams", "agents", "people", "tickets"] {
        for (own, id) in [("teams", &team), ("agents", &agent), ("people", &person), ("tickets", &ticket)] {
            for tail in ["", "/history"] {
                let answer = admin.get(&format!("/v1/{noun}/{id}{tail}")).await;
                if noun == own { drop(answer.ok(200)) } else { drop(answer.problem(404, "not_found")) }
            }
        }
    }
    for (path, body) in [
        (format!("/v1/teams/{person}/retire"), json!({})),
        (format!("/v1/agents/{team}/capacity"), json!({"capacity": 1})),
        (format!("/v1/people/{agent}/block"), json!({"reason": "x"})),
        (format!("/v1/tickets/{team}/start"), json!({})),
    ] {
        admin.post(&path, &body).header("if-match", "*").await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn unfit_team_is_refused() {
    let world = World::new().await;
    let admin = world.admin().await;
    for (body, places) in [
        (json!({}), &["/handle", "/name"][..]),
        (json!({"handle": " ", "name": "\n", "description": "", "x": 1}), &["/description", "/handle", "/name", "/x"]),
        (json!({"handle": "x".repeat(65), "name": "x".repeat(201)}), &["/handle", "/name"]),
        (json!({"handle": NOBODY, "name": "x"}), &["/handle"]),
        (json!({"handle": "none", "name": "x\u{202e}"}), &["/handle", "/name"]),
    ] {
        assert_eq!(admin.post("/v1/teams", &body).await.pointers(422, "validation_failed"), places, "{body}");
    }
    let lead = world.staff(Role::Lead, "lena", &[]).await;
    lead.post("/v1/teams", &json!({"handle": "x", "name": "x"})).await.problem(403, "forbidden");
    world.requester("grace@example.com").await.get("/v1/teams").await.problem(403, "forbidden");
}

#[tokio::test]
async fn teams_are_listed_by_handle() {
    let world = World::new().await;
    let admin = world.admin().await;
    let mut position = String::new();
    for handle in ["c", "a", "b"] {
        let created = admin.post("/v1/teams", &json!({"handle": handle, "name": handle})).await.ok(201);
        let path = format!("{}/retire", created.header("location"));
        if handle == "b" {
            position = admin.post(&path, &json!({})).header("if-match", "*").await.header("docket-position").to_owned();
        }
    }
    let list = async |query: &str| {
        let answer = admin.get(&format!("/v1/teams{query}")).header("docket-min-position", &position).await.ok(200);
        let items = answer.json()["items"].as_array().unwrap().clone();
        (items.iter().map(|team| team["handle"].as_str().unwrap().to_owned()).collect::<String>(), answer)
    };
    assert_eq!(list("").await.0, "abc");
    assert_eq!(list("?retired=true").await.0, "b");
    assert_eq!(list("?retired=false").await.0, "ac");
    let (first, page) = list("?limit=2").await;
    assert_eq!(first, "ab");
    assert_eq!(page.json()["items"][0], admin.get("/v1/teams/a").await.ok(200).json(), "as it is read by itself");
    let next = page.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
    assert_eq!(list(next.strip_prefix("/v1/teams").unwrap()).await.0, "c");
    for bad in ["retired=yes", "limit=0", "x=1"] {
        admin.get(&format!("/v1/teams?{bad}")).await.problem(400, "invalid_query");
    }
    admin.get("/v1/teams?cursor=00").await.problem(400, "invalid_cursor");
}
