//! Events on NATS, and `docket audit relay`.

use std::path::Path;

use chrono::DateTime;
use eventstore::{Position, RecordedEvent, StreamId, Version};
use relay::Message;
use serde_json::{Value, json};

use crate::server::{FIRST_EVENTS, Server, run, until};

fn audit(dir: &Path, args: &[&str]) -> (Option<i32>, Value) {
    let output = run(dir, &[args, &["audit", "relay", "--json"]].concat());
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_served_is_on_the_broker_also_after_the_private_nats_was_killed() {
    let dir = devstack::testing::temp_dir();
    let server = Server::start(dir.path()).await;
    let endpoints = std::fs::read_to_string(dir.path().join(".docket/endpoints.json")).unwrap();
    assert!(endpoints.contains("nats://subscriber:"), "{endpoints}");
    server.open("Before").await;
    until("it is on the broker", async || audit(dir.path(), &[]) == (Some(0), report(FIRST_EVENTS + 1))).await;

    let pid = nats(dir.path());
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    server.open("Meanwhile").await;
    until("another one runs", async || nats(dir.path()) != pid).await;
    server.open("After").await;
    until("all is on the broker", async || audit(dir.path(), &[]) == (Some(0), report(FIRST_EVENTS + 3))).await;

    let text = run(dir.path(), &["audit", "relay"]);
    assert_eq!(String::from_utf8_lossy(&text.stdout), "6 messages, 6 events: the stream equals the log\n");
    let (code, report) = audit(dir.path(), &["--nats-stream", "OTHER"]);
    assert_eq!((code, &report["findings"][0]["rule"]), (Some(2), &json!("no_stream")));
    let (code, _) = audit(dir.path(), &["--nats-url", "nats://127.0.0.1:1"]);
    assert_eq!(code, Some(1));
}

fn report(count: u64) -> Value {
    json!({"messages": count, "events": count, "broken": 0, "findings": []})
}

/// The process of the private NATS: who holds the lock has written it there.
fn nats(dir: &Path) -> String {
    let lock = std::fs::read_to_string(dir.join(".docket/nats.lock")).unwrap();
    lock.lines().last().unwrap_or_default().to_owned()
}

/// The document says of every message what the relay really makes of an event.
#[test]
fn messages_are_as_the_asyncapi_document_describes_them() {
    let document = api::asyncapi();
    let config = relay::Config::new("nats://127.0.0.1", "urn:uuid:00000000-0000-0000-0000-000000000001", || {
        DateTime::UNIX_EPOCH
    });
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ticket-aggregate/tests/golden");
    let mut seen = 0;
    for entry in std::fs::read_dir(golden).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (event_type, version) = name.rsplit_once(".v").unwrap();
        let message = Message::of(&event(event_type, version.parse().unwrap(), &path), &config);

        let described = &document["components"]["messages"][name];
        let mut schema = described["payload"].clone();
        schema["components"] = document["components"].clone();
        let validator = jsonschema::draft7::options().should_validate_formats(true).build(&schema).unwrap();
        let content: Value = serde_json::from_slice(&message.payload).unwrap();
        if let Err(error) = validator.validate(&content) {
            panic!("{name}: {error} at {}", error.instance_path());
        }
        let attributes = &document["components"]["schemas"]["cloud_event"]["properties"];
        for attribute in content.as_object().unwrap().keys() {
            assert!(attributes.get(attribute).is_some(), "{attribute} is not described");
        }
        let headers = message.headers.iter().map(|(name, value)| (name.to_string(), json!(value[0].as_str())));
        let headers = Value::Object(headers.collect());
        assert!(jsonschema::is_valid(&described["headers"], &headers), "{headers}");
        let address = document["channels"][event_type]["address"].as_str().unwrap();
        assert_eq!(message.subject, address.replace("{ticketId}", &uuid::Uuid::from_u128(7).to_string()));
        seen += 1;
    }
    assert!(seen > 20);
}

fn event(event_type: &str, schema_version: i16, golden: &Path) -> RecordedEvent {
    RecordedEvent {
        position: Position(4711),
        stream_id: StreamId(uuid::Uuid::from_u128(7)),
        stream_type: eventstore::StreamType::from_static("ticket"),
        version: Version(3),
        event_type: event_type.into(),
        schema_version,
        payload: std::fs::read_to_string(golden).unwrap().trim().to_owned(),
        metadata: json!({
            "command_id": uuid::Uuid::from_u128(9), "correlation_id": "request-1",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "actor": {"kind": "agent", "id": "ada"}, "cause": {"kind": "import", "row": 7},
        })
        .to_string(),
        occurred_at: DateTime::UNIX_EPOCH,
        recorded_at: DateTime::UNIX_EPOCH,
    }
}
