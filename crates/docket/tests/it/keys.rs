//! `docket keys` beside a running server: what a rotation, an expiry and a scope do.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::import::{Import, stderr};
use crate::server::{Server, run, until};

/// A key by `keys create` or `keys rotate`.
fn minted(server: &Server, args: &[&str]) -> String {
    let output = run(&server.dir, args);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn id(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}

fn listed(server: &Server, key: &str) -> Value {
    let output = run(&server.dir, &["keys", "list", "--json"]);
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    all.into_iter().find(|known| known["id"] == id(key)).unwrap()
}

async fn accepts(server: &Server, key: &str) -> bool {
    let answer = server.client.get(format!("{}/v1/tickets", server.url)).bearer_auth(key).send().await.unwrap();
    answer.status() != StatusCode::UNAUTHORIZED
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_overlaps() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    let first = minted(&server, &["keys", "create", "--role", "agent", "--name", "ada"]);
    assert!(accepts(&server, &first).await);

    let second = minted(&server, &["keys", "rotate", id(&first)]);
    assert!(id(&second) == id(&first) && second != first);
    until("the new secret is accepted", async || accepts(&server, &second).await).await;
    assert!(accepts(&server, &first).await, "for a day more");

    let third = minted(&server, &["keys", "rotate", id(&first), "--overlap", "0"]);
    until("the new secret is accepted", async || accepts(&server, &third).await).await;
    until("the others are refused", async || !accepts(&server, &first).await && !accepts(&server, &second).await).await;
    assert!(accepts(&server, &third).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn key_with_a_scope_acts_for_a_requester() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    let create = ["keys", "create", "--role", "agent", "--name", "shop", "--label", "the shop server"];
    let key = minted(&server, &[&create[..], &["--scope", "act-for-others", "--expires-in", "90"]].concat());
    let known = listed(&server, &key);
    assert_eq!((&known["label"], &known["scopes"]), (&json!("the shop server"), &json!(["act-for-others"])));
    let time = |member: &str| known[member].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert_eq!(time("expires_at") - time("created_at"), TimeDelta::days(90));

    let open = json!({"subject": "The printer is on fire", "body": "Please come with water."});
    let post = server.client.post(format!("{}/v1/tickets", server.url)).bearer_auth(&key).json(&open);
    let answer = post.header("Docket-On-Behalf-Of", "grace@example.com").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let story = run(dir.path(), &["audit", "replay", "1"]);
    let who = format!("requester grace@example.com (via key {}): opened by api", id(&key));
    assert!(String::from_utf8(story.stdout).unwrap().contains(&who), "{who} did it");
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_key_is_not_rotated() {
    let import = Import::new().await;
    let created = import.docket(&["keys", "create", "--role", "agent", "--name", "ada", "--expires-in", "1", "--json"]);
    let key: Value = serde_json::from_slice(&created.stdout).unwrap();
    // as the owner, past the triggers that refuse it to everybody else
    let expire = "alter table events disable trigger all;
        update events set payload = jsonb_set(payload::jsonb, '{expires_at}', '\"2026-01-01T00:00:00Z\"')::json
         where type = 'api_key.created'";
    sqlx::raw_sql(expire).execute(&import.pool).await.unwrap();
    let output = import.docket(&["keys", "rotate", key["id"].as_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("has expired"), "{}", stderr(&output));
}
