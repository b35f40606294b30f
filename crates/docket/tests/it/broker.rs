//! Who may do what on the private NATS, and what is said of a broker that does not work.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use async_nats::jetstream;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::server::{FIRST_EVENTS, Server, docket, run, until};

fn endpoints(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join(".docket/endpoints.json")).unwrap()).unwrap()
}

fn is_relayed(dir: &Path) -> bool {
    run(dir, &["audit", "relay"]).status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn private_nats_refuses_strangers_and_lets_subscribers_only_read() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    server.open("Private").await;
    until("it is on the broker", async || is_relayed(dir.path())).await;

    let told = endpoints(dir.path());
    let url = told["nats"].as_str().unwrap();
    let anonymous = format!("nats://{}", url.rsplit('@').next().unwrap());
    let refused = relay::connect(&anonymous).await.unwrap_err();
    assert!(refused.contains("authorization"), "{refused}");
    let wrong = url.replace("subscriber:", "subscriber:0");
    assert!(relay::connect(&wrong).await.is_err());

    let client = relay::connect(url).await.unwrap();
    let context = jetstream::new(client.clone());
    let stream = context.get_stream("DOCKET").await.unwrap();
    let consumer = stream.create_consumer(jetstream::consumer::pull::OrderedConfig::default()).await.unwrap();
    let message = consumer.messages().await.unwrap().next().await.unwrap().unwrap();
    let first = message.subject.strip_prefix("docket.agent.").and_then(|rest| rest.strip_suffix(".registered"));
    assert!(first.is_some_and(|id| uuid::Uuid::try_parse(id).is_ok()), "{}", message.subject);

    // a request that is not allowed is never answered
    for (subject, body) in [
        ("docket.ticket.forged", "{}"),
        ("docket.forged", "{}"),
        ("$JS.API.STREAM.PURGE.DOCKET", "{}"),
        ("$JS.API.STREAM.DELETE.DOCKET", ""),
        ("$JS.API.STREAM.UPDATE.DOCKET", r#"{"name":"DOCKET","subjects":["docket.>"],"max_age":1000000000}"#),
        ("$JS.API.STREAM.MSG.DELETE.DOCKET", r#"{"seq":1}"#),
        ("$JS.API.STREAM.CREATE.OTHER", r#"{"name":"OTHER","subjects":["other.>"]}"#),
        ("$JS.API.STREAM.RESTORE.DOCKET", "{}"),
    ] {
        let request =
            async_nats::Request::new().payload(body.into()).timeout(Some(std::time::Duration::from_millis(300)));
        assert!(client.send_request(subject, request).await.is_err(), "{subject}");
    }
    // nor through a consumer that delivers to the stream's own subjects
    let push = jetstream::consumer::push::Config { deliver_subject: "docket.forged".into(), ..Default::default() };
    assert!(stream.create_consumer(push).await.is_err());

    let owner = jetstream::new(relay::connect(told["nats_admin"].as_str().unwrap()).await.unwrap());
    let state = owner.get_stream("DOCKET").await.unwrap().cached_info().state.clone();
    assert_eq!((state.messages, state.last_sequence), (FIRST_EVENTS + 1, FIRST_EVENTS + 1));
    assert!(owner.get_stream("OTHER").await.is_err());
    assert!(is_relayed(dir.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn data_folder_is_its_owners_alone_whatever_the_umask() {
    let dir = devstack::testing::temp_dir();
    let mut command = Command::new("sh");
    let docket = docket(dir.path());
    command.args(["-c", "umask 000; exec \"$0\" serve"]).arg(docket.get_program()).current_dir(dir.path());
    command.env("DOCKET_LISTEN", "127.0.0.1:0");
    for name in ["DATABASE_URL", "NATS_URL", "DOCKET_DATA_DIR", "DOCKET_CONFIG"] {
        command.env_remove(name);
    }
    let server = Server::start_with(dir.path(), &mut command).await;
    server.open("Private").await;
    until("it is on the broker", async || is_relayed(dir.path())).await;

    let data = dir.path().join(".docket");
    let mut pending = vec![data.clone()];
    while let Some(path) = pending.pop() {
        let mode = path.symlink_metadata().unwrap().permissions().mode() & 0o7777;
        // as root PostgreSQL's user passes through the folder, by its group
        let passage = if path == data && nix::unistd::geteuid().is_root() { 0o010 } else { 0 };
        assert_eq!(mode & 0o077, passage, "{mode:o} {}", path.display());
        if path.is_dir() {
            pending.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    let log = std::fs::read_to_string(dir.path().join("stdout.log")).unwrap()
        + &std::fs::read_to_string(dir.path().join("stderr.log")).unwrap();
    for url in ["nats", "nats_admin"].map(|name| endpoints(dir.path())[name].as_str().unwrap().to_owned()) {
        let password = url.split([':', '@']).nth(2).unwrap();
        assert!(password.len() == 48 && !log.contains(password), "a password is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_private_nats_is_restarted_and_refilled() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    server.open("Before").await;
    until("it is on the broker", async || is_relayed(dir.path())).await;
    let pid = || {
        let lock = std::fs::read_to_string(dir.path().join(".docket/nats.lock")).unwrap();
        lock.lines().last().unwrap_or_default().to_owned()
    };
    let before = pid();
    assert!(Command::new("kill").args(["-STOP", &before]).status().unwrap().success());
    server.open("Meanwhile").await;
    until("another one runs", async || pid() != before).await;
    until("all is on the broker", async || is_relayed(dir.path())).await;
    let log = std::fs::read_to_string(dir.path().join("stdout.log")).unwrap();
    assert!(log.contains("the private NATS does not answer"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn private_nats_that_does_not_start_is_tried_again() {
    let dir = devstack::testing::temp_dir();
    let program = dir.path().join("nats-server");
    let mut command = docket(dir.path());
    command.arg("serve").env("DOCKET_NATS_BIN", &program);
    let server = Server::start_with(dir.path(), &mut command).await;
    server.open("Early").await;
    let relay = async || server.get("/health/readiness").send().await.unwrap().json::<Value>().await.unwrap();
    let said = relay().await;
    assert_eq!(said["status"], "ready");
    assert_eq!(said["relay"]["state"], "connecting");
    assert!(said["relay"]["reason"].as_str().unwrap().contains("DOCKET_NATS_BIN"), "{said}");
    assert_eq!(endpoints(dir.path())["nats"], Value::Null);

    std::fs::write(&program, "#!/bin/sh\nPATH=$PATH:/usr/sbin exec nats-server \"$@\"\n").unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    until("the relay is live", async || relay().await["relay"]["state"] == "live").await;
    until("endpoints.json names it", async || endpoints(dir.path())["nats"].is_string()).await;
    until("it is on the broker", async || is_relayed(dir.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn halted_relay_is_named_by_readiness_and_metrics() {
    let (_folder, nats) = devstack::testing::private_nats().await;
    let foreign = jetstream::new(relay::connect(nats.url()).await.unwrap());
    let config =
        jetstream::stream::Config { name: "DOCKET".into(), subjects: vec!["other.>".into()], ..Default::default() };
    foreign.create_stream(config).await.unwrap();

    let dir = devstack::testing::temp_dir();
    let mut command = docket(dir.path());
    let server = Server::start_with(dir.path(), command.arg("serve").env("NATS_URL", nats.url())).await;
    let metric = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.rsplit(' ').next()?.parse::<f64>().ok()
    };
    until("the relay is halted", async || {
        let text = server.get("/metrics").send().await.unwrap().text().await.unwrap();
        metric(&text, "docket_relay_halted{").is_some()
            && text.lines().any(|l| {
                l.starts_with("docket_relay_halted{") && l.contains("reason=\"stream_config\"") && l.ends_with(" 1")
            })
            && text
                .lines()
                .any(|l| l.starts_with("docket_relay_state{") && l.contains("state=\"halted\"") && l.ends_with(" 1"))
    })
    .await;
    let answer = server.get("/health/readiness").send().await.unwrap();
    assert_eq!(answer.status(), 200, "it takes commands");
    let said: Value = answer.json().await.unwrap();
    assert_eq!((&said["status"], &said["relay"]["state"]), (&json!("ready"), &json!("halted")));
    assert!(said["relay"]["halted"].as_str().unwrap().starts_with("stream_config: "), "{said}");
    server.open("Still").await;
}

/// The rules name metrics that exist.
#[tokio::test(flavor = "multi_thread")]
async fn alert_rules_name_existing_metrics() {
    let rules = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/alerts.yml")).unwrap();
    let expressions = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    let names: Vec<&str> = expressions
        .flat_map(|expression| expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')))
        .filter(|word| word.starts_with("docket_"))
        .collect();
    assert!(names.len() >= 5, "{names:?}");
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    server.open("Measured").await;
    for name in names {
        until(name, async || {
            let text = server.get("/metrics").send().await.unwrap().text().await.unwrap();
            text.lines().any(|line| line.starts_with(&format!("{name}{{")))
        })
        .await;
    }
}
