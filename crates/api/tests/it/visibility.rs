//! A ticket that one may not see answers as one that is not there.

use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::World;

const NOBODY: &str = "/v1/tickets/01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11";

/// All that an answer tells, but for what differs between any two answers.
fn told(answer: &Answer) -> (u16, Value, Vec<(String, String)>) {
    let mut body = answer.json();
    body["instance"] = Value::Null;
    let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let headers = headers.filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date" | "ratelimit"));
    (answer.status, body, headers.collect())
}

/// Every route on a ticket says of this one what it says of none.
async fn assert_hidden(client: &Client, ticket: &str) {
    let document = api::openapi();
    for route in api::routes().into_iter().filter(|route| route.path.starts_with("/v1/tickets/{id}")) {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let example = &operation["requestBody"]["content"]["application/json"]["example"];
        for (query, tags, body) in
            [("", "*", example), ("", "\"1\"", example), ("?version=x", "*", example), ("", "bad", &json!({"x": 1}))]
        {
            let send = async |ticket: &str| {
                let path = format!("{}{query}", route.path.replace("/v1/tickets/{id}", ticket));
                let call = client.call(route.method.clone(), &path).header("if-match", tags);
                if route.method == Method::GET { call.await } else { call.json(body).await }
            };
            let (hidden, nobody) = (send(ticket).await, send(NOBODY).await);
            assert_eq!(told(&hidden), told(&nobody), "{} {}", route.method, route.path);
            // the role and the request itself are judged first: neither says anything of the ticket
            let sound = query.is_empty() && tags != "bad" && hidden.status != 403;
            assert!(!sound || hidden.status == 404, "{} {}: {}", route.method, route.path, hidden.text());
        }
    }
    let hidden = client.call(Method::PATCH, ticket).await;
    assert_eq!(told(&hidden), told(&client.call(Method::PATCH, NOBODY).await), "a wrong method");
}

#[tokio::test]
async fn a_requester_sees_their_own_tickets_and_those_they_follow() {
    let world = World::new().await;
    let admin = world.admin().await;
    let grace = world.requester("Grace@Example.com").await;
    let eve = world.requester("eve@example.com").await;
    let ticket = grace.open(&json!({})).await;
    let of_hers = admin.open(&json!({"requester": {"email": "GRACE@example.com"}})).await;
    let of_nobody = admin.open(&json!({})).await;
    for path in [&ticket, &of_hers] {
        grace.get(path).await.ok(200);
        assert_hidden(&eve, path).await;
    }
    assert_hidden(&grace, &of_nobody).await;
    let follow_up = json!({"subject": "x", "body": "x", "follow_up_of": ticket.rsplit('/').next().unwrap()});
    assert_eq!(eve.post("/v1/tickets", &follow_up).await.pointers(422, "validation_failed"), ["/follow_up_of"]);
    admin.command(&ticket, "followers", &json!({"follower": "Eve@example.com"})).await.ok(200);
    eve.get(&ticket).await.ok(200);
    eve.command(&ticket, "replies", &json!({"body": "Me too"})).await.ok(201);
    eve.command(&ticket, "reopen", &json!({})).await.problem(403, "forbidden");
    let unfollow =
        admin.call(Method::DELETE, &format!("{ticket}/followers")).json(&json!({"follower": "eve@example.com"}));
    unfollow.header("if-match", "*").await.ok(200);
    assert_hidden(&eve, &ticket).await;
}

#[tokio::test]
async fn an_agent_sees_the_tickets_of_their_teams() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ada = world.agent("ada", &["facilities", "network"]).await;
    let lead = world.staff(shared_kernel::Role::Lead, "lena", &[]).await;
    world.teams(&["payroll"]).await;
    for (team, seen) in
        [(json!("facilities"), true), (json!("network"), true), (Value::Null, true), (json!("payroll"), false)]
    {
        let ticket = admin.open(&json!({"team": team})).await;
        lead.get(&ticket).await.ok(200);
        if seen { drop(ada.get(&ticket).await.ok(200)) } else { assert_hidden(&ada, &ticket).await }
    }
    let foreign = admin.open(&json!({"team": "payroll"})).await;
    let person = world.person_of("ada").await;
    admin.command(&foreign, "followers", &json!({"follower": person.to_string()})).await.ok(200);
    ada.get(&foreign).await.ok(200);
    // a link must not tell of a ticket that one may not see
    let own = admin.open(&json!({"team": "facilities"})).await;
    let secret = admin.open(&json!({"team": "payroll"})).await;
    let link = json!({"kind": "relates_to", "other": secret.rsplit('/').next().unwrap()});
    let nothing = json!({"kind": "relates_to", "other": NOBODY.rsplit('/').next().unwrap()});
    let (hidden, none) = (ada.command(&own, "link", &link).await, ada.command(&own, "link", &nothing).await);
    assert_eq!(hidden.pointers(422, "validation_failed"), ["/other"]);
    assert_eq!(told(&hidden), told(&none));
}
