//! People, agents and teams in bodies: by id, by handle, by address; those whom nobody knows; those who have no room.

use agent_aggregate::{Agent, Command};
use serde_json::json;

use crate::world::{World, call};

const NOBODY: &str = "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11";

#[tokio::test]
async fn unknown_name_is_a_fault_of_its_member() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    for (command, body, place) in [
        ("assign", json!({"assignee": "nobody"}), "/assignee"),
        ("assign", json!({"assignee": NOBODY}), "/assignee"),
        ("route", json!({"team": "nowhere"}), "/team"),
        ("route", json!({"team": NOBODY}), "/team"),
        ("followers", json!({"follower": "nobody@example.com"}), "/follower"),
        ("followers", json!({"follower": NOBODY}), "/follower"),
        ("requester", json!({"requester": {"person_id": NOBODY}}), "/requester"),
    ] {
        let refused = admin.command(&ticket, command, &body).await;
        assert_eq!(refused.pointers(422, "validation_failed"), [place], "{command}");
        assert_eq!(refused.json()["details"]["rule"], "unknown_name");
        // a ticket that is not there says so first
        admin.command(&format!("/v1/tickets/{NOBODY}"), command, &body).await.problem(404, "not_found");
    }
    for (body, place) in [
        (json!({"subject": "x", "body": "x", "team": "nowhere"}), "/team"),
        (json!({"subject": "x", "body": "x", "requester": {"person_id": NOBODY}}), "/requester"),
    ] {
        assert_eq!(admin.post("/v1/tickets", &body).await.pointers(422, "validation_failed"), [place]);
    }
    let several = json!({"commands": [{"command": "start"}, {"command": "route", "team": "nowhere"}]});
    let refused = admin.command(&ticket, "commands", &several).await;
    assert_eq!(refused.pointers(422, "validation_failed"), ["/commands/1/team"]);
    assert_eq!(admin.version(&ticket).await, 1, "nothing was recorded");
}

#[tokio::test]
async fn records_are_named_by_id_or_handle_and_shown_by_handle() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (team, agent) = (world.team("facilities").await, world.agent_id("ada", &["facilities"]).await);
    for (team, agent) in [("facilities".to_owned(), "ada".to_owned()), (team.to_string(), agent.to_string())] {
        let ticket = admin.open(&json!({"team": team})).await;
        let shown = admin.command(&ticket, "assign", &json!({"assignee": agent})).await.ok(200).json();
        assert_eq!((&shown["team"], &shown["assignee"]), (&json!("facilities"), &json!("ada")));
    }
}

#[tokio::test]
async fn changed_requester_sees_the_ticket_and_the_former_one_does_not() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (grace, eve) = (world.requester("grace@example.com").await, world.requester("eve@example.com").await);
    let ticket = grace.open(&json!({})).await;
    let change = json!({"requester": {"email": "Eve@example.com"}, "reason": "a mix-up"});
    admin.command(&ticket, "requester", &change).await.ok(200);
    eve.get(&ticket).await.ok(200);
    grace.get(&ticket).await.problem(404, "not_found");
    let history = eve.get(&format!("{ticket}/history")).await.ok(200);
    assert!(!history.text().contains("mix-up"), "{}", history.text());
    grace.command(&ticket, "requester", &change).await.problem(403, "forbidden");
    // a new address is registered with the name
    let new = json!({"requester": {"email": "new@example.com", "name": "Newton"}});
    let shown = admin.command(&ticket, "requester", &new).await.ok(200).json();
    assert_eq!(shown["requester"]["person_id"], world.person("new@example.com").await.to_string());
}

/// Neither whether there is such a person nor whether they are blocked.
#[tokio::test]
async fn requester_learns_nothing_of_others_when_opening() {
    let world = World::new().await;
    let grace = world.requester("grace@example.com").await;
    let own = world.person("grace@example.com").await;
    let blocked = world.person("blocked@example.com").await;
    let block = person_aggregate::Command::Block { reason: "insults".into() };
    world.server.desk.change::<person_aggregate::Person>(blocked, vec![block], call()).await.unwrap();
    for asker in [
        json!({"email": "blocked@example.com"}),
        json!({"person_id": blocked.to_string()}),
        json!({"email": "nobody@example.com"}),
        json!({"person_id": NOBODY}),
    ] {
        let body = json!({"subject": "x", "body": "x", "requester": asker});
        let refused = grace.post("/v1/tickets", &body).await.problem(403, "forbidden");
        assert_eq!(refused["details"]["rule"], "open_for_another", "{asker}");
    }
    for asker in [json!({"email": "GRACE@example.com"}), json!({"person_id": own.to_string()})] {
        let body = json!({"subject": "x", "body": "x", "requester": asker});
        grace.post("/v1/tickets", &body).await.ok(201);
    }
}

#[tokio::test]
async fn agent_at_capacity_gets_more_by_override_only() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ada = world.agent_id("ada", &[]).await;
    let capacity = vec![Command::SetCapacity { capacity: Some(1) }];
    world.server.desk.change::<Agent>(ada, capacity, call()).await.unwrap();
    let (one, two) = (admin.open(&json!({})).await, admin.open(&json!({})).await);
    admin.command(&one, "assign", &json!({"assignee": "ada"})).await.ok(200);
    admin.command(&two, "assign", &json!({"assignee": "ada"})).await.problem(409, "agent_at_capacity");
    let assign = json!({"commands": [{"command": "start"}, {"command": "assign", "assignee": "ada"}]});
    let refused = admin.command(&two, "commands", &assign).await.problem(409, "agent_at_capacity");
    assert_eq!(refused["details"]["command"], 1);
    let assign = json!({"assignee": "ada", "override": true});
    assert_eq!(admin.command(&two, "assign", &assign).await.ok(200).json()["assignee"], "ada");
}
