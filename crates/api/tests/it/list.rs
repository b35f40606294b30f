//! `GET /v1/tickets`: filters, search, who finds what, pages.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::World;

/// The subjects of what a query finds, once the list has read what was done before.
async fn found(client: &Client, query: &str, position: &str) -> Vec<String> {
    let answer = client.get(&format!("/v1/tickets{query}")).header("docket-min-position", position).await.ok(200);
    subjects(&answer)
}

fn subjects(answer: &Answer) -> Vec<String> {
    let list = answer.json();
    list["items"].as_array().unwrap().iter().map(|t| t["subject"].as_str().unwrap().to_owned()).collect()
}

/// Opens a ticket; its path and its position.
async fn opened(client: &Client, subject: &str, more: &Value) -> (String, String) {
    let mut body = json!({"subject": subject, "body": "Please help."});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = client.post("/v1/tickets", &body).await.ok(201);
    (answer.header("location").to_owned(), answer.header("docket-position").to_owned())
}

async fn position_after(client: &Client, ticket: &str, command: &str, body: &Value) -> String {
    client.command(ticket, command, body).await.header("docket-position").to_owned()
}

#[tokio::test]
async fn a_list_shows_the_very_tickets() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (one, _) = opened(&admin, "one", &json!({"tags": ["printer"], "requester": {"email": "grace@example.com"}})).await;
    admin.command(&one, "notes", &json!({"body": "Arson?"})).await.ok(201);
    let position = position_after(&admin, &one, "assign", &json!({"assignee": "root"})).await;
    let answer = admin.get("/v1/tickets").header("docket-min-position", &position).await.ok(200);
    assert!(answer.header("docket-position").parse::<i64>().unwrap() >= position.parse().unwrap());
    assert!(answer.find("link").is_none() && answer.json()["next_cursor"].is_null());
    assert_eq!(answer.json()["items"], json!([admin.get(&one).await.ok(200).json()]), "as it is read by itself");
    let grace = world.requester("grace@example.com").await;
    let hers = grace.get("/v1/tickets").await.ok(200).json();
    assert_eq!(hers["items"], json!([grace.get(&one).await.ok(200).json()]), "as she may see it");
}
