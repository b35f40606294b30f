//! `docket serve` as a new user starts it: nothing configured, and nothing lost whatever dies.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::server::{Server, docket, run, until};

#[tokio::test]
async fn with_nothing_configured_it_serves_and_keeps_what_it_was_told() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    let mode = std::fs::metadata(dir.path().join(".docket/admin.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the key is for its owner's eyes");
    let ticket = server.open("The printer is on fire").await;
    let greeting = std::fs::read_to_string(dir.path().join("stderr.log")).unwrap();
    assert!(greeting.contains(&server.url) && greeting.contains("curl") && !greeting.contains("dk_"), "{greeting}");

    server.signal("-TERM");
    let key = server.key.clone();
    assert!(server.ended().await.success());

    // the same folder, another process: the same key, the same ticket
    let server = Server::start(dir.path()).await;
    assert_eq!(server.key, key);
    let path = format!("/v1/tickets/{}", ticket["id"].as_str().unwrap());
    let again = server.read(&path).await;
    assert_eq!(again, ticket);
}

#[tokio::test]
async fn the_other_commands_find_a_running_server_by_its_folder() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    server.open("The printer is on fire").await;

    let made = run(dir.path(), &["keys", "create", "--role", "agent", "--name", "ada"]);
    let key = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let ask = async |key: &str| {
        let path = format!("{}/v1/tickets/00000000-0000-7000-8000-000000000000", server.url);
        server.client.get(path).bearer_auth(key).send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask(&key).await, 404, "a key that is valid sees that there is nothing");

    let listed: Value = serde_json::from_slice(&run(dir.path(), &["keys", "list", "--json"]).stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(&key[20..]), "no secret is listed");

    let id = key.split('_').nth(1).unwrap();
    assert!(run(dir.path(), &["keys", "revoke", id]).status.success());
    until("a revoked key is refused", async || ask(&key).await == 401).await;

    let replay = run(dir.path(), &["audit", "replay", "#1"]);
    assert!(String::from_utf8(replay.stdout).unwrap().contains("The printer is on fire"));
}

#[tokio::test]
async fn what_cannot_be_had_is_said_clearly() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    let said = |output: std::process::Output| {
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let address = server.url.trim_start_matches("http://");
    let taken = said(run(dir.path(), &["serve", "--listen", address, "--data-dir", "other"]));
    assert!(taken.contains("can't listen on") && taken.contains("--listen"), "{taken}");
    let running = said(run(dir.path(), &["serve"]));
    assert!(running.contains("in use by another docket"), "{running}");
    let unreachable = said(run(dir.path(), &["migrate", "--database-url", "postgres://me:secret@127.0.0.1:1/nowhere"]));
    assert!(unreachable.contains("can't be reached") && unreachable.contains("DATABASE_URL"), "{unreachable}");
    assert!(unreachable.contains("refused") && !unreachable.contains("secret"), "{unreachable}");
    let revoked = said(run(dir.path(), &["keys", "revoke", "0123456789abcdef"]));
    assert!(revoked.contains("there is no key"), "{revoked}");
    let short = said(run(dir.path(), &["config", "--receipt-hours", "1"]));
    assert!(short.contains("at least 24"), "{short}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_it_has_every_acknowledged_event_once() {
    let dir = devstack::testing::temp_dir();
    let mut acknowledged = BTreeMap::new();
    for _ in 0..2 {
        let server = Arc::new(Server::start(dir.path()).await);
        let load = Load::start(&server);
        load.until_acknowledged(200).await;
        server.signal("-KILL");
        acknowledged.append(&mut load.stop().await);
    }
    let server = Server::start(dir.path()).await;
    check(&server, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_killed_under_load_comes_back_with_every_acknowledged_event_once() {
    let dir = devstack::testing::temp_dir();
    let server = Arc::new(Server::start(dir.path()).await);
    let load = Load::start(&server);
    for count in [200, 600] {
        load.until_acknowledged(count).await;
        let pid = server.postgres_pid().unwrap();
        assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        until("PostgreSQL runs again", async || {
            server.postgres_pid().is_some_and(|new| new != pid) && server.is_ready().await
        })
        .await;
    }
    load.until_acknowledged(1_000).await;
    let acknowledged = load.stop().await;
    check(&server, &acknowledged).await;
}

/// Clients that reply to tickets of their own, each reply with a nonce.
struct Load {
    acknowledged: Arc<std::sync::Mutex<BTreeMap<String, (String, i64)>>>,
    stop: Arc<AtomicBool>,
    tasks: tokio::task::JoinSet<()>,
}

impl Load {
    fn start(server: &Arc<Server>) -> Self {
        let mut load = Self { acknowledged: Arc::default(), stop: Arc::default(), tasks: tokio::task::JoinSet::new() };
        for _ in 0..16 {
            load.tasks.spawn(client(server.clone(), load.acknowledged.clone(), load.stop.clone()));
        }
        load
    }

    async fn until_acknowledged(&self, count: usize) {
        until("replies are acknowledged", async || self.acknowledged.lock().unwrap().len() >= count).await;
    }

    async fn stop(mut self) -> BTreeMap<String, (String, i64)> {
        self.stop.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        std::mem::take(&mut self.acknowledged.lock().unwrap())
    }
}

async fn client(
    server: Arc<Server>,
    acknowledged: Arc<std::sync::Mutex<BTreeMap<String, (String, i64)>>>,
    stop: Arc<AtomicBool>,
) {
    let ticket = server.open("Load").await["id"].as_str().unwrap().to_owned();
    while !stop.load(Ordering::Relaxed) {
        let nonce = uuid::Uuid::now_v7().to_string();
        let answer = server.post(&format!("/v1/tickets/{ticket}/replies"), &json!({"body": nonce})).send().await;
        // a connection that broke, or a 5xx, says nothing of what became of it
        if let Ok(answer) = answer
            && answer.status() == 201
            && let Some(position) = answer.headers().get("docket-position")
        {
            let position = position.to_str().unwrap().parse().unwrap();
            acknowledged.lock().unwrap().insert(nonce, (ticket.clone(), position));
        }
    }
}

/// Every acknowledged reply is in the log once, at the position that was told; the log is sound.
async fn check(server: &Server, acknowledged: &BTreeMap<String, (String, i64)>) {
    let verified = docket(&server.dir).args(["audit", "verify", "--json"]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let mut found: BTreeMap<String, (String, i64)> = BTreeMap::new();
    let tickets = acknowledged.values().map(|(ticket, _)| ticket).collect::<std::collections::BTreeSet<_>>();
    for ticket in tickets {
        for event in history(server, ticket).await {
            let body =
                event["data"]["personal"].as_object().and_then(|people| people.values().next()?["body"].as_str());
            if let Some(nonce) = body.filter(|_| event["type"] == "ticket.public_reply_added") {
                let before = found.insert(nonce.to_owned(), (ticket.clone(), event["position"].as_i64().unwrap()));
                assert!(before.is_none(), "{nonce} is there twice");
            }
        }
    }
    for (nonce, place) in acknowledged {
        assert_eq!(found.get(nonce), Some(place), "an acknowledged reply is lost or elsewhere");
    }
}

/// All pages of a ticket's history.
async fn history(server: &Server, ticket: &str) -> Vec<Value> {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.read(&format!("/v1/tickets/{ticket}/history?limit=200{cursor}")).await;
        events.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return events,
        }
    }
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// The parts of the `traceparent` that a ticket's first event has, opened with the one given.
async fn recorded(server: &Server, given: &str) -> Vec<String> {
    let body = json!({"subject": "The printer is on fire", "body": "Please come with water."});
    let opened = server.post("/v1/tickets", &body).header("traceparent", given).send().await.unwrap();
    assert_eq!(opened.status(), 201);
    let path = opened.headers()["location"].to_str().unwrap().to_owned();
    let events = server.read(&format!("{path}/events")).await;
    let traceparent = events["items"][0]["traceparent"].as_str().unwrap().to_owned();
    let parts = traceparent.split('-').map(str::to_owned).collect::<Vec<_>>();
    assert!(parts.len() == 4 && parts[1].len() == 32 && parts[2].len() == 16, "{traceparent}");
    parts
}

#[tokio::test]
async fn a_trace_is_continued_and_a_bad_one_starts_anew() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start_with(dir.path(), docket(dir.path()).args(["serve", "--log", "warn"])).await;
    let continued = recorded(&server, &format!("00-{TRACE}-{CALLER}-01")).await;
    assert_eq!(continued, ["00", TRACE, CALLER, "01"], "nobody collects spans: the caller's is handed on");
    let zeros = "0".repeat(32);
    for bad in [format!("00-{zeros}-{CALLER}-01"), format!("00-{TRACE}-x-01"), "nonsense".into(), String::new()] {
        let anew = recorded(&server, &bad).await;
        assert!(anew[1] != TRACE && anew[1] != zeros, "{bad:?} became {anew:?}");
        assert_eq!(anew[3], "00", "nothing of it is recorded");
    }
}

#[tokio::test]
async fn a_request_has_a_span_of_its_own_where_spans_are_collected() {
    let dir = devstack::testing::temp_dir();
    let mut command = docket(dir.path());
    // nobody answers there
    command.args(["serve", "--log", "warn"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let server = Server::start_with(dir.path(), &mut command).await;
    let continued = recorded(&server, &format!("00-{TRACE}-{CALLER}-01")).await;
    assert_eq!((&*continued[1], &*continued[3]), (TRACE, "01"));
    assert_ne!(continued[2], CALLER, "a span of its own");
    let anew = recorded(&server, "nonsense").await;
    assert!(anew[1] != TRACE && anew[3] == "01", "{anew:?}");
}
