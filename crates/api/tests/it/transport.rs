//! What goes wrong before a request is one: the head of it, its size, its pace; and HTTP/2, over which the contract is the
//! same.

use std::time::Duration;

use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::raw;
use crate::world::{World, config};

/// A problem in all its members, as far as a request by hand can see them.
fn assert_problem(answer: &str, status: u16, code: &str) {
    assert_eq!(raw::status(answer), status, "{answer}");
    let (head, _) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    for line in ["content-type: application/problem+json", "cache-control: no-store", "x-content-type-options: nosniff"]
    {
        assert!(head.contains(line), "no {line} in {head}");
    }
    let problem = raw::content(answer);
    assert_eq!((&problem["error_code"], &problem["status"]), (&json!(code), &json!(status)), "{problem}");
    let kind = problem["type"].as_str().unwrap();
    assert!(kind.starts_with("http://") && kind.ends_with(&format!("/problems/{code}")), "{kind}");
    assert!(head.contains(&format!("x-request-id: {}", problem["instance"].as_str().unwrap())), "{head}");
}

#[tokio::test]
async fn what_is_no_http_is_answered_with_a_problem() {
    let world = World::new().await;
    for garbage in [
        "nonsense\r\n\r\n",
        "GET /healthz HTTP/9.9\r\n\r\n",
        "GET /a b HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: x\r\nbad name: 1\r\n\r\n",
        "POST /v1/tickets HTTP/1.1\r\nhost: x\r\ncontent-length: ten\r\n\r\n",
        "POST /v1/tickets HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
    ] {
        let answer = raw::exchange(world.server.address, garbage.as_bytes()).await;
        assert_problem(&answer, 400, "bad_request");
    }
    // also after a sound request on the same connection
    let two = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nnonsense\r\n\r\n";
    let answers = raw::exchange(world.server.address, two.as_bytes()).await;
    assert!(answers.starts_with("HTTP/1.1 200") && answers.contains("HTTP/1.1 400"), "{answers}");
    world.anyone().get("/healthz").await.ok(200);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused_before_anything_else() {
    let world = World::new().await;
    let send = async |path: &str, lines: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{lines}\r\n");
        raw::exchange(world.server.address, request.as_bytes()).await
    };
    let path = |length: usize| format!("/v1/tickets?q={}", "x".repeat(length - "/v1/tickets?q=".len()));
    assert_eq!(raw::status(&send(&path(8 * 1024), "").await), 401);
    assert_problem(&send(&path(8 * 1024 + 1), "").await, 414, "uri_too_long");

    let lines = |count: usize| (0..count).fold(String::new(), |lines, n| lines + &format!("x-{n}: 1\r\n"));
    // with host and connection
    assert_eq!(raw::status(&send("/v1/tickets", &lines(98)).await), 401);
    assert_problem(&send("/v1/tickets", &lines(99)).await, 431, "headers_too_large");
    assert_problem(&send("/v1/tickets", &lines(1_000)).await, 431, "headers_too_large");
    let one = |length: usize| format!("x-long: {}\r\n", "x".repeat(length));
    assert_eq!(raw::status(&send("/v1/tickets", &one(30 * 1024)).await), 401);
    assert_problem(&send("/v1/tickets", &one(33 * 1024)).await, 431, "headers_too_large");
    assert_problem(&send("/v1/tickets", &one(70 * 1024)).await, 431, "headers_too_large");
}

#[tokio::test]
async fn http1_request_needs_exactly_one_host() {
    let world = World::new().await;
    let send = async |version: &str, lines: &str| {
        let request = format!("GET /healthz HTTP/{version}\r\nconnection: close\r\n{lines}\r\n");
        raw::exchange(world.server.address, request.as_bytes()).await
    };
    for lines in ["", "host: a\r\nhost: a\r\n", "host: a\r\nHost: b\r\n", "host: a b\r\n", "host: u@a\r\n"] {
        assert_problem(&send("1.1", lines).await, 400, "bad_request");
    }
    for (version, lines) in [("1.1", "host: a\r\n"), ("1.1", "host: [::1]:80\r\n"), ("1.1", "host:\r\n"), ("1.0", "")] {
        assert_eq!(raw::status(&send(version, lines).await), 200, "{version} {lines}");
    }
    let absolute = "GET http://a/healthz HTTP/1.1\r\nconnection: close\r\n\r\n";
    assert_problem(&raw::exchange(world.server.address, absolute.as_bytes()).await, 400, "bad_request");
    // without a key, the fault of the request comes first
    let two = "GET /v1/tickets HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n";
    assert_problem(&raw::exchange(world.server.address, two.as_bytes()).await, 400, "bad_request");
}

#[tokio::test]
async fn request_id_with_an_api_key_is_replaced() {
    let world = World::new().await;
    let admin = world.admin().await;
    let key = admin.token.clone().unwrap();
    let answer = admin.get("/v1/tickets").header("x-request-id", &key).await.ok(200);
    assert!(!answer.header("x-request-id").contains("dk_"), "{}", answer.header("x-request-id"));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_with_408_and_does_nothing() {
    let patience = Duration::from_millis(300);
    let world = World::with(api::Config { body_timeout: patience, ..config() }, desk::Policy::default()).await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    let token = format!("authorization: Bearer {}", admin.token.clone().unwrap());
    let body = json!({"body": "x"}).to_string();
    let request = raw::request("POST", &format!("{ticket}/notes"), &[&token, "content-type: application/json"], &body);
    let mut stream = TcpStream::connect(world.server.address).await.unwrap();
    stream.write_all(&request.as_bytes()[..request.len() - 1]).await.unwrap();
    assert_problem(&raw::rest(&mut stream).await, 408, "body_timeout");
    assert_eq!(admin.version(&ticket).await, 1);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_with_504() {
    let patience = Duration::from_secs(2);
    let world = World::with(api::Config { request_timeout: patience, ..config() }, desk::Policy::default()).await;
    let admin = world.admin().await;
    let far = admin.get("/v1/tickets").header("docket-min-position", "4711").header("prefer", "wait=20");
    let answer = far.await;
    answer.problem(504, "request_timeout");
    assert_eq!(answer.header("retry-after"), "1");
    world.anyone().get("/healthz").await.ok(200);
}

/// Sends over HTTP/2, which is known beforehand to be spoken.
async fn over_http2(world: &World, request: Request<Full<Bytes>>) -> (StatusCode, http::HeaderMap, Value) {
    let stream = TcpStream::connect(world.server.address).await.unwrap();
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn over_http2_the_contract_is_the_same() {
    let world = World::new().await;
    let token = format!("Bearer {}", world.admin().await.token.unwrap());
    let request = |method: Method, path: &str, body: String| {
        let builder = Request::builder().method(method).uri(format!("http://{}{path}", world.server.address));
        let builder = builder.header("authorization", &token).header("content-type", "application/json");
        builder.body(Full::new(Bytes::from(body))).unwrap()
    };
    let body = json!({"subject": "x", "body": "x"}).to_string();
    let (status, headers, ticket) = over_http2(&world, request(Method::POST, "/v1/tickets", body)).await;
    assert_eq!((status.as_u16(), headers["etag"].to_str().unwrap()), (201, "\"1\""));
    let path = headers["location"].to_str().unwrap().to_owned();
    let (status, _, again) = over_http2(&world, request(Method::GET, &path, String::new())).await;
    assert_eq!((status.as_u16(), &again), (200, &ticket));

    let problem = async |request, status: u16, code: &str| {
        let (answered, headers, problem) = over_http2(&world, request).await;
        assert_eq!((answered.as_u16(), &problem["error_code"]), (status, &json!(code)), "{problem}");
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(problem["instance"], headers["x-request-id"].to_str().unwrap());
    };
    problem(request(Method::POST, &format!("{path}/start"), "{}".into()), 428, "precondition_required").await;
    problem(request(Method::GET, "/v1/nothing", String::new()), 404, "not_found").await;
    // the answer comes while the body is still on its way: it is to be read all the same
    problem(request(Method::POST, "/v1/tickets", " ".repeat(3 * 1024 * 1024)), 413, "content_too_large").await;
    let mut other_host = request(Method::GET, &path, String::new());
    other_host.headers_mut().insert("host", "elsewhere".parse().unwrap());
    problem(other_host, 400, "bad_request").await;
    let mut large = request(Method::GET, &path, String::new());
    large.headers_mut().insert("x-long", "x".repeat(33 * 1024).parse().unwrap());
    problem(large, 431, "headers_too_large").await;
}
