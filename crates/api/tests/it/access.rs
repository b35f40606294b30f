//! Who is let in: tests over the list of routes, so that a new one can't skip them.

use serde_json::json;

use crate::client::{Answer, Client};
use crate::raw;
use crate::world::{World, call, eventually};

const ID: &str = "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11";

fn assert_unauthorized(answer: &Answer) {
    answer.problem(401, "unauthorized");
    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"docket\"");
}

/// Sends to every route that needs a key.
async fn everywhere(client: &Client, check: impl Fn(&Answer)) {
    let mut routes = 0;
    for route in api::routes().into_iter().filter(|route| !route.guard.is_public()) {
        assert!(route.path.starts_with("/v1/"), "{}", route.path);
        check(&client.call(route.method, &route.path.replace("{id}", ID)).await);
        routes += 1;
    }
    assert!(routes > 25);
    check(&client.get("/v1/nothing").await);
    check(&client.call(http::Method::PUT, "/v1/tickets").await);
}

#[tokio::test]
async fn without_a_key_every_route_under_v1_answers_401() {
    let world = World::new().await;
    everywhere(&world.anyone(), assert_unauthorized).await;
}

#[tokio::test]
async fn with_a_key_that_is_wrong_revoked_or_mistyped_every_route_answers_401() {
    let world = World::new().await;
    let good = world.admin().await.token.unwrap();
    let last = if good.ends_with('0') { "1" } else { "0" };
    let mistyped = format!("{}{last}", &good[..good.len() - 1]);
    let revoked = world.mint(desk::NewKey::staff(shared_kernel::Role::Admin, world.agent_id("gone", &[]).await)).await;
    world.server.desk.keys().revoke(&revoked.id, call()).await.unwrap();
    let elsewhere = World::new().await.admin().await.token.unwrap();
    for bad in
        [mistyped, revoked.token, elsewhere, good.to_uppercase(), "dk_".into(), String::new(), "x".repeat(10_000)]
    {
        everywhere(&world.server.client(Some(bad)), assert_unauthorized).await;
    }
    world.server.client(Some(good)).get("/v1/nothing").await.problem(404, "not_found");
}

#[tokio::test]
async fn the_secret_of_another_key_does_not_open() {
    let world = World::new().await;
    let (one, two) = (world.admin().await.token.unwrap(), world.requester("grace@example.com").await.token.unwrap());
    // the id of the one with the secret of the other, and a checksum that fits
    let body = format!("{}{}", &one[..20], &two[20..84]);
    let forged = format!("{body}{:08x}", crc32(body.as_bytes()));
    for _ in 0..2 {
        assert_unauthorized(&world.server.client(Some(forged.clone())).get("/v1/nothing").await);
    }
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[tokio::test]
async fn the_authorization_header_is_one_and_says_bearer() {
    let world = World::new().await;
    let token = world.admin().await.token.unwrap();
    let send = async |lines: &[String]| {
        let lines = lines.iter().map(String::as_str).collect::<Vec<_>>();
        let request = raw::request("GET", "/v1/nothing", &lines, "");
        raw::status(&raw::exchange(world.server.address, request.as_bytes()).await)
    };
    let bearer = format!("Authorization: Bearer {token}");
    assert_eq!(send(std::slice::from_ref(&bearer)).await, 404);
    assert_eq!(send(&[format!("authorization: bearer {token}")]).await, 404, "a scheme has no case");
    for bad in [
        vec![bearer.clone(), bearer.clone()],
        vec![format!("authorization: {token}")],
        vec![format!("authorization: Basic {token}")],
        vec!["authorization: Bearer".into()],
        vec![format!("authorization: Bearer {token} {token}")],
        vec![format!("x-api-key: {token}")],
        vec![format!("authorization: Bearer {token}\u{e9}")],
    ] {
        assert_eq!(send(&bad).await, 401, "{bad:?}");
    }
    let query = raw::request("GET", &format!("/v1/nothing?access_token={token}"), &[], "");
    assert_eq!(raw::status(&raw::exchange(world.server.address, query.as_bytes()).await), 401, "never in a URL");
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_5_s_by_every_instance() {
    let world = World::new().await;
    let minted = world.mint(desk::NewKey::requester(world.person("grace@example.com").await)).await;
    let there = world.another().await;
    let clients = [world.server.client(Some(minted.token.clone())), there.client(Some(minted.token))];
    for client in &clients {
        client.get("/v1/nothing").await.problem(404, "not_found");
    }
    world.server.desk.keys().revoke(&minted.id, call()).await.unwrap();
    let revoked = std::time::Instant::now();
    for client in &clients {
        eventually("a 401", async || (client.get("/v1/nothing").await.status == 401).then_some(())).await;
        assert!(revoked.elapsed() < std::time::Duration::from_secs(5), "{:?}", revoked.elapsed());
        assert_unauthorized(&client.get("/v1/nothing").await);
    }
}

#[tokio::test]
async fn what_is_public_needs_no_key_and_asks_for_none() {
    let world = World::new().await;
    let anyone = world.anyone();
    for route in api::routes().into_iter().filter(|route| route.guard.is_public()) {
        assert!(!route.path.starts_with("/v1"), "{}", route.path);
        let path = route.path.replace("{code}", "not_found");
        anyone.call(route.method, &path).await.ok(200);
    }
    assert_eq!(anyone.get("/healthz").await.ok(200).json(), json!({"status": "alive"}));
    assert_eq!(anyone.get("/readyz").await.ok(200).header("docket-position"), "0");
    assert_eq!(anyone.get("/docs").await.ok(308).header("location"), "/docs/");
    let page = anyone.get("/docs/").await.ok(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(!page.text().contains("https://"), "the page needs no other server");
}
