//! Many clients at once.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::Barrier;

use crate::client::{Answer, Call, Client};
use crate::idempotency::assert_replayed;
use crate::world::World;

const MANY: usize = 64;

/// Runs as many clients as there are, all starting at once.
async fn at_once<T, F>(clients: Vec<Client>, one: impl Fn(usize, Client) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(clients.len()));
    let tasks = clients.into_iter().enumerate().map(|(index, client)| {
        let (start, run) = (start.clone(), one(index, client));
        tokio::spawn(async move {
            start.wait().await;
            run.await
        })
    });
    let mut results = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_star_nobody_ever_sees_a_conflict() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    // two processes, between which nothing but the log decides
    let beside = world.another().await;
    let there = beside.client(admin.token.clone());
    there.get(&ticket).await.ok(200);
    let clients = (0..MANY).map(|n| if n % 2 == 0 { admin.clone() } else { there.clone() }).collect();
    let answers = at_once(clients, |n, client| {
        let ticket = ticket.clone();
        async move { client.command(&ticket, "notes", &json!({"body": format!("note {n}")})).await }
    });
    let mut versions =
        answers.await.into_iter().map(|a| a.ok(201).json()["version"].as_i64().unwrap()).collect::<Vec<_>>();
    versions.sort_unstable();
    let all = (2..=i64::try_from(MANY).unwrap() + 1).collect::<Vec<_>>();
    assert_eq!(versions, all, "each added its own, and was answered with the ticket as it was then");
    assert_eq!(admin.events(&ticket).await.len(), MANY + 1);
    beside.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_one_version_never_two_commands_succeed() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    let beside = world.another().await;
    let there = beside.client(admin.token.clone());
    let clients = (0..MANY).map(|n| if n % 2 == 0 { admin.clone() } else { there.clone() }).collect();
    let won: Vec<Vec<(String, Answer)>> = at_once(clients, |n, client| {
        let ticket = ticket.clone();
        async move {
            let mut won = Vec::new();
            for round in 0..4 {
                let tag = client.get(&ticket).await.ok(200).header("etag").to_owned();
                let rename = client.post(&format!("{ticket}/rename"), &json!({"subject": format!("{n} {round}")}));
                let answer = rename.header("if-match", &tag).await;
                match answer.status {
                    200 => won.push((tag, answer)),
                    _ => drop(answer.problem(412, "precondition_failed")),
                }
            }
            won
        }
    })
    .await;
    let mut from = BTreeMap::new();
    for (tag, answer) in won.into_iter().flatten() {
        let next = tag.trim_matches('"').parse::<i64>().unwrap() + 1;
        assert_eq!(answer.json()["version"], next, "the answer is the version after the one in If-Match");
        assert!(from.insert(tag.clone(), answer.text()).is_none(), "two went on from {tag}");
    }
    assert!(!from.is_empty());
    assert_eq!(
        admin.version(&ticket).await,
        i64::try_from(from.len()).unwrap() + 1,
        "no update is lost, none is recorded that failed"
    );
    beside.stopped().await;
}

/// One request by all at once, at two processes: it is carried out once, and all get the same answer.
async fn once(world: &World, admin: &Client, send: impl Fn(Client) -> Call) -> Answer {
    let before = world.head().await;
    let there = world.another().await;
    let clients = (0..MANY).map(|n| if n % 2 == 0 { admin.clone() } else { there.client(admin.token.clone()) });
    let answers = at_once(clients.collect(), |_, client| send(client).send()).await;
    let (first, again): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.find("idempotent-replayed").is_none());
    assert_eq!((first.len(), again.len()), (1, MANY - 1));
    for again in &again {
        assert_replayed(&first[0], again);
    }
    assert_eq!(world.head().await, before + 1, "one event");
    there.stopped().await;
    let restarted = world.another().await;
    assert_replayed(&first[0], &send(restarted.client(admin.token.clone())).await);
    first.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_opens_one_ticket_however_many_ask_at_once() {
    let world = World::new().await;
    let admin = world.admin().await;
    let body = json!({"subject": "Fire", "body": "Help", "source_id": "<1@example.com>"});
    let opened = once(&world, &admin, |client| client.post("/v1/tickets", &body).key("k")).await;
    assert_eq!((opened.status, opened.find("location").is_some()), (201, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_carries_out_one_command_however_many_ask_at_once() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    for (command, tag, body) in [("replies", "*", json!({"body": "x"})), ("rename", "\"2\"", json!({"subject": "x"}))] {
        let path = format!("{ticket}/{command}");
        once(&world, &admin, |client| client.post(&path, &body).header("if-match", tag).key(command)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_opens_one_follow_up_however_many_ask_at_once() {
    let world = World::new().await;
    let grace = world.requester("grace@example.com").await;
    let ticket = grace.open(&json!({})).await;
    world.admin().await.command(&ticket, "spam", &json!({})).await.ok(200);
    let path = format!("{ticket}/replies");
    let answer = once(&world, &grace, |client| client.post(&path, &json!({"body": "I am real"})).key("k")).await;
    assert_eq!(answer.json()["follow_up_of"], ticket.rsplit('/').next().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_in_both_directions_at_once_come_out_even() {
    let world = World::new().await;
    let admin = world.admin().await;
    let (one, two) = (admin.open(&json!({})).await, admin.open(&json!({})).await);
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let answers = at_once(vec![admin.clone(); 16], |n, client| {
        let (from, to) = if n % 2 == 0 { (one.clone(), id(&two)) } else { (two.clone(), id(&one)) };
        let kind = if n % 4 < 2 { "relates_to" } else { "duplicates" };
        async move { client.command(&from, "link", &json!({"kind": kind, "other": to})).await }
    });
    for answer in answers.await {
        answer.ok(200);
    }
    let kinds = async |path: &str| {
        let ticket = admin.get(path).await.json();
        ticket["links"].as_array().unwrap().iter().map(|l| l["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&one).await, ["relates_to", "duplicates", "duplicated_by"]);
    assert_eq!(kinds(&two).await, ["relates_to", "duplicates", "duplicated_by"]);
}
