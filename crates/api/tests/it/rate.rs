//! Rate limits: a bucket for each key, told of in the headers of draft-ietf-httpapi-ratelimit-headers-10.

use api::{Limits, Rate};
use serde_json::json;

use crate::client::Answer;
use crate::world::{World, eventually};

fn rate(requests: u32, seconds: u32) -> Limits {
    let rate = Rate { requests: requests.try_into().unwrap(), seconds: seconds.try_into().unwrap() };
    Limits { rate: Some(rate), ..Limits::default() }
}

/// The parameters of the one item of a structured-field list of strings.
fn field(answer: &Answer, name: &str) -> (String, Vec<(String, i64)>) {
    let list: sfv::List = sfv::Parser::new(answer.header(name)).parse().unwrap();
    let [sfv::ListEntry::Item(item)] = list.as_slice() else { panic!("{list:?}") };
    let parameters = item.params.iter();
    let parameters = parameters.map(|(key, value)| (key.as_str().to_owned(), value.as_integer().unwrap().into()));
    (item.bare_item.as_string().unwrap().as_str().to_owned(), parameters.collect())
}

#[tokio::test]
async fn every_answer_to_a_key_says_how_many_requests_it_has_left() {
    let world = World::within(rate(100, 1_000)).await;
    let admin = world.admin().await;
    let named = |name: &str, value: i64| (name.to_owned(), value);
    for (left, path, status) in [(99, "/v1/tickets", 200), (98, "/v1/nothing", 404), (97, "/v1/tickets?limit=0", 400)] {
        let answer = admin.get(path).await.ok(status);
        let policy = ("default".to_owned(), vec![named("q", 100), named("w", 1_000)]);
        assert_eq!(field(&answer, "ratelimit-policy"), policy);
        // each that was taken comes back after 10 s
        let state = ("default".to_owned(), vec![named("r", left), named("t", (100 - left) * 10)]);
        assert_eq!(field(&answer, "ratelimit"), state, "{path}");
    }
    let opened = admin.post("/v1/tickets", &json!({"subject": "x", "body": "x"})).await.ok(201);
    assert!(opened.find("ratelimit").is_some() && opened.find("ratelimit-policy").is_some());
    for open in ["/v1/tickets", "/health/readiness", "/openapi.json"] {
        let answer = world.anyone().get(open).await;
        assert!(answer.find("ratelimit").is_none(), "without a key there is no bucket: {open}");
    }
}

#[tokio::test]
async fn beyond_its_limit_a_key_is_refused_until_the_time_in_retry_after() {
    let world = World::within(rate(3, 3)).await;
    let admin = world.admin().await;
    let refused =
        eventually("a refusal", async || Some(admin.get("/v1/tickets").await).filter(|answer| answer.status != 200));
    let refused = refused.await;
    let problem = refused.problem(429, "rate_limited");
    assert_eq!(problem["details"]["policy"], "default");
    assert_eq!(field(&refused, "ratelimit").1[0], ("r".to_owned(), 0));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=3).contains(&wait), "{wait}");
    tokio::time::sleep(std::time::Duration::from_secs(wait)).await;
    admin.get("/v1/tickets").await.ok(200);
}

#[tokio::test]
async fn a_key_has_its_limit_whatever_address_it_names_and_takes_nothing_from_others() {
    let world = World::within(rate(5, 86_400)).await;
    let (admin, grace) = (world.admin().await, world.requester("grace@example.com").await);
    let call = |n: u32| admin.get("/v1/tickets").header("x-forwarded-for", &format!("10.0.0.{n}"));
    for n in 0..5 {
        call(n).header("forwarded", &format!("for=10.1.0.{n}")).await.ok(200);
    }
    // as many refusals in the order of checks, then at once
    for n in 5..15 {
        call(n).await.problem(429, "rate_limited");
    }
    assert_eq!(admin.get("/v1/nothing").await.status, 429, "nothing is looked at any more");
    grace.get("/v1/tickets").await.ok(200);
    world.anyone().get("/v1/tickets").await.problem(401, "unauthorized");
    world.anyone().get("/health/readiness").await.ok(200);
}

#[tokio::test]
async fn a_refused_command_does_nothing_and_can_be_sent_again() {
    let world = World::within(rate(2, 2)).await;
    let admin = world.admin().await;
    let before = world.head().await;
    let open = async || admin.post("/v1/tickets", &json!({"subject": "x", "body": "x"})).key("one").await;
    open().await.ok(201);
    let statuses = futures_util::future::join_all((0..6).map(|_| open())).await;
    assert!(statuses.iter().all(|answer| matches!(answer.status, 201 | 429)));
    eventually("the same answer", async || (open().await.status == 201).then_some(())).await;
    assert_eq!(world.head().await - before, 1, "one ticket, whatever was refused and repeated");
}

#[tokio::test]
async fn without_a_limit_nothing_is_said_of_one() {
    let world = World::within(Limits { rate: None, ..Limits::default() }).await;
    let answer = world.admin().await.get("/v1/tickets").await.ok(200);
    assert!(answer.find("ratelimit").is_none() && answer.find("ratelimit-policy").is_none());
}
