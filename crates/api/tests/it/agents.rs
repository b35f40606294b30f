//! `/v1/agents`.

use serde_json::{Value, json};
use shared_kernel::Role;

use crate::client::{Call, Client};
use crate::idempotency::assert_replayed;
use crate::world::World;

const NOBODY: &str = "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11";

fn command(client: &Client, agent: &str, command: &str, body: &Value) -> Call {
    client.post(&format!("/v1/agents/{agent}/{command}"), body).header("if-match", "*")
}

#[tokio::test]
async fn agent_is_registered_with_a_person_and_teams() {
    let world = World::new().await;
    let admin = world.admin().await;
    let team = world.team("facilities").await.to_string();
    world.teams(&["network"]).await;
    let body =
        json!({"handle": "ada", "name": "Ada", "email": "Ada@example.com", "capacity": 5, "teams": [team, "network"]});
    let created = admin.post("/v1/agents", &body).key("k").await.ok(201);
    assert_replayed(&created, &admin.post("/v1/agents", &body).key("k").await);
    let agent = created.json();
    assert_eq!(created.header("location"), format!("/v1/agents/{}", agent["id"].as_str().unwrap()));
    for (member, value) in [
        ("handle", json!("ada")),
        ("presence", json!("online")),
        ("capacity", json!(5)),
        ("load", json!(0)),
        ("skills", json!([])),
    ] {
        assert_eq!(agent[member], value, "{member}");
    }
    let mut teams: Vec<_> = agent["teams"].as_array().unwrap().iter().map(|team| team.as_str().unwrap()).collect();
    teams.sort_unstable();
    assert_eq!(teams, ["facilities", "network"]);
    let person = admin.get(&format!("/v1/people/{}", agent["person_id"].as_str().unwrap())).await.ok(200).json();
    assert_eq!((&person["name"], &person["identities"][0]["value"]), (&json!("Ada"), &json!("Ada@example.com")));
    assert_eq!(admin.get("/v1/agents/ada").await.ok(200).body, created.body);

    let used = admin.post("/v1/agents", &json!({"handle": "ada"})).await.problem(409, "name_used");
    assert_eq!(used["details"], json!({"scope": "agent-handle", "holder": agent["id"]}));
    let used = json!({"handle": "eve", "email": "ada@example.com"});
    let used = admin.post("/v1/agents", &used).await.problem(409, "name_used");
    assert_eq!(used["details"], json!({"scope": "person-email", "holder": agent["person_id"]}));
    // somebody who is known becomes an agent
    let grace = world.person("grace@example.com").await.to_string();
    let known = admin.post("/v1/agents", &json!({"handle": "grace", "person_id": grace})).await.ok(201).json();
    assert_eq!((&known["person_id"], &known["capacity"]), (&json!(grace), &Value::Null));
}

#[tokio::test]
async fn unfit_agent_is_refused() {
    let world = World::new().await;
    let admin = world.admin().await;
    let head = world.head().await;
    for (body, places) in [
        (json!({}), &["/handle"][..]),
        (json!({"handle": "none", "name": " ", "email": "x", "capacity": 10_001}), &["/capacity", "/email", "/name"]),
        (json!({"handle": NOBODY, "teams": ["", 1]}), &["/teams/0", "/teams/1"]),
        (json!({"handle": NOBODY}), &["/handle"]),
        (json!({"handle": "x", "capacity": -1}), &["/capacity"]),
        (json!({"handle": "x", "person_id": NOBODY, "name": "x"}), &["/person_id"]),
        (json!({"handle": "x", "person_id": NOBODY}), &["/person"]),
        (json!({"handle": "x", "teams": ["nowhere", NOBODY]}), &["/teams/0", "/teams/1"]),
    ] {
        assert_eq!(admin.post("/v1/agents", &body).await.pointers(422, "validation_failed"), places, "{body}");
    }
    assert_eq!(world.head().await, head, "nothing was recorded");
}

#[tokio::test]
async fn commands_change_an_agent() {
    let world = World::new().await;
    let admin = world.admin().await;
    let id = world.agent_id("ada", &[]).await.to_string();
    world.teams(&["facilities"]).await;
    let after = async |name: &str, body: Value, member: &str, value: Value| {
        for agent in ["ada", &id] {
            let answer = command(&admin, agent, name, &body).await.ok(200);
            assert_eq!(answer.json()[member], value, "{name}");
            assert_eq!(answer.body, admin.get("/v1/agents/ada").await.ok(200).body, "{name}");
        }
    };
    after("join-team", json!({"team": "facilities"}), "teams", json!(["facilities"])).await;
    after("leave-team", json!({"team": "facilities"}), "teams", json!([])).await;
    after("skills", json!({"skills": ["b", "a", "b"]}), "skills", json!(["a", "b"])).await;
    after("capacity", json!({"capacity": 3}), "capacity", json!(3)).await;
    after("capacity", json!({"capacity": null}), "capacity", Value::Null).await;
    after("presence", json!({"presence": "away"}), "presence", json!("away")).await;
    let history = admin.get("/v1/agents/ada/history").await.ok(200).json();
    let types: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expected = [
        "agent.registered",
        "agent.joined_team",
        "agent.left_team",
        "agent.skills_changed",
        "agent.capacity_set",
        "agent.capacity_set",
        "agent.presence_changed",
    ];
    assert_eq!(types, expected, "what changes nothing records nothing");

    for (name, body, place) in [
        ("join-team", json!({"team": "nowhere"}), "/team"),
        ("leave-team", json!({"team": NOBODY}), "/team"),
        ("skills", json!({"skills": ["\u{202e}"]}), "/skills/0"),
        ("capacity", json!({}), "/capacity"),
        ("capacity", json!({"capacity": 10_001}), "/capacity"),
        ("presence", json!({"presence": "asleep"}), "/presence"),
    ] {
        assert_eq!(command(&admin, "ada", name, &body).await.pointers(422, "validation_failed"), [place], "{name}");
        admin
            .post(&format!("/v1/agents/ada/{name}"), &json!({"team": "x"}))
            .await
            .problem(428, "precondition_required");
    }
    let stale = admin.post("/v1/agents/ada/capacity", &json!({"capacity": 1})).header("if-match", "\"6\"").await;
    assert_eq!(stale.problem(412, "precondition_failed")["details"]["events"][0]["type"], "agent.presence_changed");
}

#[tokio::test]
async fn load_is_what_the_tickets_take() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.agents(&["ada"]).await;
    let ticket = admin.open(&json!({})).await;
    admin.command(&ticket, "assign", &json!({"assignee": "ada"})).await.ok(200);
    assert_eq!(admin.get("/v1/agents/ada").await.ok(200).json()["load"], 1);
    admin.command(&ticket, "hold", &json!({"reason": "a part"})).await.ok(200);
    assert_eq!(admin.get("/v1/agents/ada").await.ok(200).json()["load"], 0);
}

#[tokio::test]
async fn membership_counts_at_once_for_who_may_be_assigned() {
    let world = World::new().await;
    let lead = world.staff(Role::Lead, "lena", &[]).await;
    world.agents(&["ada"]).await;
    world.teams(&["facilities"]).await;
    let ticket = lead.open(&json!({"team": "facilities"})).await;
    lead.command(&ticket, "assign", &json!({"assignee": "ada"})).await.problem(409, "not_team_member");
    command(&lead, "ada", "join-team", &json!({"team": "facilities"})).await.ok(200);
    lead.command(&ticket, "assign", &json!({"assignee": "ada"})).await.ok(200);
}

#[tokio::test]
async fn agents_set_their_own_presence_only() {
    let world = World::new().await;
    let (ada, bob) = (world.agent("ada", &[]).await, world.agent("bob", &[]).await);
    let lead = world.staff(Role::Lead, "lena", &[]).await;
    let away = json!({"presence": "away"});
    command(&ada, "ada", "presence", &away).await.ok(200);
    let refused = command(&bob, "ada", "presence", &away).await.problem(403, "forbidden");
    assert_eq!(refused["details"]["rule"], "others_only");
    command(&bob, "nobody", "presence", &away).await.problem(404, "not_found");
    command(&lead, "bob", "presence", &away).await.ok(200);
    for name in ["join-team", "leave-team", "skills", "capacity", "rename"] {
        command(&ada, "ada", name, &json!({})).await.problem(403, "forbidden");
    }
    command(&lead, "ada", "rename", &json!({"name": "x"})).await.problem(403, "forbidden");
}

#[tokio::test]
async fn renaming_an_agent_renames_the_person() {
    let world = World::new().await;
    let admin = world.admin().await;
    let person = format!("/v1/people/{}", world.person_of("ada").await);
    let before = admin.get("/v1/agents/ada").await.ok(200);
    let send = async || {
        let call = admin.post("/v1/agents/ada/rename", &json!({"name": "Ada Lovelace"}));
        call.header("if-match", "\"1\"").key("k").await
    };
    let renamed = send().await.ok(200);
    assert_eq!(
        (renamed.header("content-location"), &renamed.json()["name"]),
        (person.as_str(), &json!("Ada Lovelace"))
    );
    assert_eq!(admin.get(&person).await.ok(200).body, renamed.body);
    assert_replayed(&renamed, &send().await);
    assert_eq!(admin.get("/v1/agents/ada").await.ok(200).body, before.body);
}

#[tokio::test]
async fn agents_are_listed_by_handle() {
    let world = World::new().await;
    let admin = world.admin().await;
    for (handle, team) in [("cem", "one"), ("ada", "two"), ("bob", "one")] {
        world.agent_id(handle, &[team]).await;
    }
    command(&admin, "bob", "skills", &json!({"skills": ["english"]})).await.ok(200);
    let done = command(&admin, "cem", "presence", &json!({"presence": "offline"})).await.ok(200);
    let position = done.header("docket-position").to_owned();
    let list = async |query: &str| {
        let answer = admin.get(&format!("/v1/agents{query}")).header("docket-min-position", &position).await.ok(200);
        let items = answer.json()["items"].as_array().unwrap().clone();
        items.iter().map(|agent| agent["handle"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list("").await, "ada bob cem root");
    assert_eq!(list("?team=one").await, "bob cem");
    assert_eq!(list(&format!("?team={}", world.team("two").await)).await, "ada");
    assert_eq!(list("?team=nowhere").await, "");
    assert_eq!(list("?skill=english").await, "bob");
    assert_eq!(list("?presence=offline,away").await, "cem");
    assert_eq!(list("?team=one&presence=online").await, "bob");
    let shown = admin.get("/v1/agents?limit=1").await.ok(200).json();
    assert_eq!(shown["items"][0], admin.get("/v1/agents/ada").await.ok(200).json(), "as they are read by themselves");
    for bad in ["presence=asleep", "team=%20", "skill=", "x=1"] {
        admin.get(&format!("/v1/agents?{bad}")).await.problem(400, "invalid_query");
    }
}
