//! Every error is problem+json (RFC 9457), with a page behind its type.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use serde_json::json;

use crate::raw;
use crate::world::{World, config};

#[tokio::test]
async fn what_no_route_takes_is_a_problem_too() {
    let world = World::new().await;
    let admin = world.admin().await;
    for path in [
        "/v1/nothing",
        "/v1",
        "/v1/",
        "/nothing",
        "/v1/tickets/",
        "/v1//tickets",
        "/docs/nothing.js",
        "/problems/nothing",
        "/problems/%ff",
        "/v1/tickets/%ff",
    ] {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        answer.problem(404, "not_found");
    }
    let anyone = world.anyone();
    anyone.get("/v1/nothing").await.problem(401, "unauthorized");
    anyone.get("/v1").await.problem(401, "unauthorized");
    anyone.get("/nothing").await.problem(401, "unauthorized");
    anyone.get("/problems/nothing").await.problem(404, "not_found");
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_answered_with_those_that_it_takes() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    for (method, path, allowed) in [
        (Method::PUT, "/v1/tickets".to_owned(), &["GET", "HEAD", "POST"][..]),
        (Method::DELETE, ticket.clone(), &["GET", "HEAD"]),
        (Method::GET, format!("{ticket}/tags"), &["DELETE", "POST"]),
        (Method::PATCH, format!("{ticket}/history"), &["GET", "HEAD"]),
        (Method::OPTIONS, format!("{ticket}/assign"), &["POST"]),
        (Method::from_bytes(b"BREW").unwrap(), format!("{ticket}/assign"), &["POST"]),
        (Method::POST, "/health/liveness".into(), &["GET", "HEAD"]),
        (Method::POST, "/openapi.json".into(), &["GET", "HEAD"]),
    ] {
        let answer = admin.call(method.clone(), &path).await;
        answer.problem(405, "method_not_allowed");
        let mut allow = answer.header("allow").split(',').map(str::trim).collect::<Vec<_>>();
        allow.sort_unstable();
        assert_eq!(allow, allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_a_page_of_this_server() {
    let world = World::new().await;
    let anyone = world.anyone();
    let problem = anyone.get("/v1/tickets").await.problem(401, "unauthorized");
    assert_eq!(problem["type"], format!("{}/problems/unauthorized", anyone.url));
    for code in api::Code::ALL {
        let page = anyone.get(&format!("/problems/{}", code.as_str())).await.ok(200);
        assert!(page.header("content-type").starts_with("text/html") && page.text().contains(code.as_str()));
    }
    let all = anyone.get("/problems").await.ok(200).text();
    assert!(api::Code::ALL.iter().all(|code| all.contains(code.as_str())));

    let known = api::Config { public_url: Some("https://desk.example.com/".into()), ..config() };
    let world = World::with(known, desk::Policy::default()).await;
    let kind = world.anyone().get("/v1/tickets").await.json()["type"].clone();
    assert_eq!(kind, "https://desk.example.com/problems/unauthorized");
}

#[tokio::test]
async fn a_host_that_is_none_does_not_spoil_the_type() {
    let world = World::new().await;
    for host in ["a b", "x\"y", "example.com/evil", "", "[::1]:80", "xn--n3h.example"] {
        let request = format!("GET /problems/nothing HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let answer = raw::exchange(world.server.address, request.as_bytes()).await;
        let kind = raw::content(&answer)["type"].as_str().unwrap().to_owned();
        let uri: http::Uri = kind.parse().unwrap_or_else(|e| panic!("{host:?} makes {kind:?}: {e}"));
        let path = uri.path();
        assert!(matches!(path, "/problems/not_found" | "/problems/bad_request"), "{host}: {path}");
    }
    let old = raw::exchange(world.server.address, b"GET /problems/nothing HTTP/1.0\r\n\r\n").await;
    assert_eq!(raw::content(&old)["type"], "http://localhost/problems/not_found");
}

#[tokio::test]
async fn a_panic_is_answered_and_says_nothing() {
    let broken = api::Config { metrics: Box::new(|| panic!("the secret reason")), ..config() };
    let world = World::with(broken, desk::Policy::default()).await;
    let answer = world.anyone().get("/metrics").await;
    answer.problem(500, "internal");
    assert!(!answer.text().contains("secret"));
    world.anyone().get("/health/liveness").await.ok(200);
}

#[tokio::test]
async fn a_panic_in_a_command_is_answered_and_harms_no_other_command() {
    /// The first reading of a request is for its key, the second for its command.
    fn late() -> chrono::DateTime<chrono::Utc> {
        static READINGS: AtomicUsize = AtomicUsize::new(0);
        assert!(READINGS.fetch_add(1, Ordering::Relaxed).is_multiple_of(2), "the secret clock");
        crate::world::now()
    }
    let world = World::with(api::Config { now: late, ..config() }, desk::Policy::default()).await;
    let admin = world.admin().await;
    let sound = world.another().await;
    let ticket = sound.client(admin.token.clone()).open(&json!({})).await;
    for _ in 0..3 {
        let answer = admin.command(&ticket, "notes", &json!({"body": "x"})).await;
        answer.problem(500, "internal");
        assert!(!answer.text().contains("secret"));
    }
    admin.get(&ticket).await.ok(200);
}

#[tokio::test]
async fn a_request_id_of_the_caller_is_echoed_and_any_other_is_replaced() {
    let world = World::new().await;
    let anyone = world.anyone();
    let longest = "x".repeat(128);
    for id in ["a", "order-77.retry_1", "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11", &longest] {
        assert_eq!(anyone.get("/health/liveness").header("x-request-id", id).await.header("x-request-id"), id);
        let refused = anyone.get("/v1/nothing").header("x-request-id", id).await;
        assert_eq!(refused.problem(401, "unauthorized")["instance"], id);
    }
    for id in ["", "a b", "a/b", "a\"b", "é", &"x".repeat(129), "a,b"] {
        let made = anyone.get("/health/liveness").header("x-request-id", id).await.header("x-request-id").to_owned();
        assert!(made != id && made.parse::<uuid::Uuid>().is_ok(), "{id:?} became {made:?}");
    }
    let (one, two) = (anyone.get("/healthz").await, anyone.get("/readyz").await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[tokio::test]
async fn a_database_that_is_gone_is_a_503_that_says_nothing_of_it() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    world.server.desk.store().close().await;
    for answer in [
        admin.get(&ticket).await,
        admin.command(&ticket, "notes", &json!({"body": "x"})).await,
        admin.post("/v1/tickets", &json!({"subject": "x", "body": "x"})).await,
        world.anyone().get("/health/readiness").await,
    ] {
        answer.problem(503, "unavailable");
        assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
        let text = answer.text().to_lowercase();
        for word in ["pool", "sqlx", "select", "postgres", "relation", ".rs"] {
            assert!(!text.contains(word), "{text}");
        }
    }
    world.anyone().get("/health/liveness").await.ok(200);
}
