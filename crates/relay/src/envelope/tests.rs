use chrono::TimeZone as _;
use eventstore::{Position, Version};
use serde_json::{Value, json};

use super::*;

fn config() -> Config {
    Config::new("nats://127.0.0.1", "urn:uuid:00000000-0000-0000-0000-000000000001", || DateTime::UNIX_EPOCH)
}

fn event() -> RecordedEvent {
    RecordedEvent {
        position: Position(4711),
        stream_id: StreamId(uuid::Uuid::from_u128(7)),
        stream_type: eventstore::StreamType::from_static("ticket"),
        version: Version(3),
        event_type: "ticket.public_reply_added".into(),
        schema_version: 1,
        payload: r#"{"body" : "één\n","n":1.0}"#.into(),
        metadata: json!({
            "command_id": uuid::Uuid::from_u128(9), "correlation_id": "req-1",
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "actor": {"kind": "agent", "id": "ada"}, "cause": {"kind": "import", "row": 7}, "more": [1],
        })
        .to_string(),
        occurred_at: Utc.timestamp_micros(1_767_225_600_000_001).unwrap(),
        recorded_at: Utc.timestamp_opt(1_767_225_601, 0).unwrap(),
    }
}

#[test]
fn message_is_a_cloud_event_with_the_recorded_payload() {
    let message = Message::of(&event(), &config());
    assert_eq!(message.subject, "docket.ticket.00000000-0000-0000-0000-000000000007.public_reply_added");
    let header = |name: &'static str| message.headers.get(HeaderName::from_static(name)).unwrap().as_str().to_owned();
    assert_eq!(message.headers.get(NATS_EXPECTED_LAST_SEQUENCE).unwrap().as_str(), "4710");
    assert_eq!(header("content-type"), "application/cloudevents+json");
    assert_eq!(header("traceparent"), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let text = String::from_utf8(message.payload).unwrap();
    assert!(text.ends_with(r#","data":{"body" : "één\n","n":1.0}}"#), "{text}");
    let mut read: Value = serde_json::from_str(&text).unwrap();
    read.as_object_mut().unwrap().remove("data");
    let expected = json!({
        "specversion": "1.0", "id": "4711", "source": "urn:uuid:00000000-0000-0000-0000-000000000001", "type": "ticket.public_reply_added",
        "subject": "00000000-0000-0000-0000-000000000007", "time": "2026-01-01T00:00:00.000001Z",
        "datacontenttype": "application/json", "position": 4711, "streamversion": 3, "schemaversion": 1,
        "recordedtime": "2026-01-01T00:00:01Z", "actorkind": "agent", "actorid": "ada",
        "commandid": "00000000-0000-0000-0000-000000000009", "correlationid": "req-1",
        "causekind": "import", "cause": r#"{"kind":"import","row":7}"#,
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    });
    assert_eq!(read, expected);
    let fit = |name: &String| name.len() <= 20 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    assert!(read.as_object().unwrap().keys().all(fit), "a CloudEvents attribute's name");
}

#[test]
fn odd_events_are_relayed() {
    for metadata in ["{}", "null", "7", r#"{"actor":7}"#, r#"{"command_id":"","traceparent":"a\r\nb"}"#] {
        let event = RecordedEvent { metadata: metadata.into(), event_type: ".x y*>.é".into(), ..event() };
        let message = Message::of(&event, &config());
        assert_eq!(message.subject, "docket.ticket.00000000-0000-0000-0000-000000000007._.x_y__._");
        assert!(message.headers.get(HeaderName::from_static("traceparent")).is_none());
        assert_eq!(identity_difference(&event, &message.payload), None, "{metadata}");
    }
}

#[test]
fn largest_event_fits() {
    let half = eventstore::MAX_EVENT_BYTES / 2;
    let long = |length: usize| "\"".repeat(length / 2);
    let metadata = json!({"command_id": long(9_000), "correlation_id": long(4_000), "traceparent": "a".repeat(4_096),
        "actor": {"kind": long(4_000), "id": long(4_000)}, "cause": {"kind": long(half)}});
    let event =
        RecordedEvent { metadata: metadata.to_string(), payload: format!("\"{}\"", "x".repeat(half)), ..event() };
    let message = Message::of(&event, &config());
    assert!(message.payload.len() + 8_192 < crate::MAX_MESSAGE_BYTES, "{}", message.payload.len());
}

#[test]
fn identity_difference_names_the_attribute() {
    let original = event();
    let payload = Message::of(&original, &config()).payload;
    assert_eq!(identity_difference(&original, &payload), None);
    let changed: [(&str, RecordedEvent); 8] = [
        ("id", RecordedEvent { position: Position(1), ..event() }),
        ("subject", RecordedEvent { stream_id: StreamId(uuid::Uuid::from_u128(8)), ..event() }),
        ("streamversion", RecordedEvent { version: Version(4), ..event() }),
        ("type", RecordedEvent { event_type: "ticket.closed".into(), ..event() }),
        ("schemaversion", RecordedEvent { schema_version: 2, ..event() }),
        ("time", RecordedEvent { occurred_at: event().recorded_at, ..event() }),
        ("commandid", RecordedEvent { metadata: "{}".into(), ..event() }),
        ("data", RecordedEvent { payload: "{}".into(), ..event() }),
    ];
    for (what, other) in changed {
        let found = identity_difference(&other, &payload).unwrap_or_default();
        assert!(found.contains(what), "{what}: {found:?}");
    }
    assert!(identity_difference(&original, b"hello").unwrap().contains("not an event"));
}

/// A message as the broker would hold it.
fn stored(event: &RecordedEvent) -> StoredMessage {
    let Message { subject, headers, payload, .. } = Message::of(event, &config());
    StoredMessage { subject, headers, payload }
}

#[test]
fn message_difference_covers_every_attribute() {
    let with = |change: fn(&mut Value)| {
        let mut metadata: Value = serde_json::from_str(&event().metadata).unwrap();
        change(&mut metadata);
        RecordedEvent { metadata: metadata.to_string(), ..event() }
    };
    let changed = [
        ("actorid", with(|metadata| metadata["actor"]["id"] = "mallory".into())),
        ("actorkind", with(|metadata| metadata["actor"]["kind"] = "system".into())),
        ("actorvia", with(|metadata| metadata["actor"]["via"] = "0123456789abcdef".into())),
        ("cause", with(|metadata| metadata["cause"]["row"] = 8.into())),
        ("cause", with(|metadata| metadata["cause"] = Value::Null)),
        ("correlationid", with(|metadata| metadata["correlation_id"] = "req-2".into())),
        ("traceparent", with(|metadata| metadata["traceparent"] = "00-1-2-01".into())),
        ("recordedtime", RecordedEvent { recorded_at: event().occurred_at, ..event() }),
        ("commandid", with(|metadata| metadata["command_id"] = "x".into())),
    ];
    assert_eq!(message_difference(&event(), &stored(&event()), &config()), None);
    for (name, tampered) in changed {
        let found = message_difference(&tampered, &stored(&event()), &config()).unwrap_or_default();
        assert!(found.contains(name), "{name}: {found:?}");
    }
    let other = Config { source: "urn:other".into(), ..config() };
    assert!(message_difference(&event(), &stored(&event()), &other).unwrap().contains("source"));
}

#[test]
fn message_difference_covers_subject_headers_and_extra_attributes() {
    let difference = |change: fn(&mut StoredMessage)| {
        let mut message = stored(&event());
        change(&mut message);
        message_difference(&event(), &message, &config()).unwrap()
    };
    assert!(difference(|message| message.subject.push('x')).contains("subject"));
    assert!(difference(|message| message.headers.insert("content-type", "text/plain")).contains("content-type"));
    let extra = |message: &mut StoredMessage| {
        let text = String::from_utf8(message.payload.clone()).unwrap();
        message.payload = text.replacen('{', r#"{"zone":"x","#, 1).into_bytes();
    };
    assert!(difference(extra).contains("zone"));
}

/// Also an attribute that is added one day.
#[test]
fn message_difference_covers_whatever_is_sent() {
    let text = String::from_utf8(stored(&event()).payload).unwrap();
    let sent: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text).unwrap();
    assert!(sent.len() > 15);
    for (name, value) in &sent {
        let member = format!("\"{name}\":{value}");
        // another value, and another name in its place
        for other in [format!("\"{name}\":\"another\""), format!("\"x{name}\":{value}")] {
            assert_eq!(text.matches(&member).count(), 1, "{member}");
            let payload = text.replacen(&member, &other, 1).into_bytes();
            let found = message_difference(&event(), &StoredMessage { payload, ..stored(&event()) }, &config());
            let found = found.unwrap_or_default();
            assert!(found.contains(name) || found.contains("not an event"), "{other}: {found:?}");
        }
    }
}
