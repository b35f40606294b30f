use chrono::TimeZone as _;
use eventstore::{Position, Version};
use serde_json::{Value, json};

use super::*;

fn config() -> Config {
    Config::new("nats://127.0.0.1", || DateTime::UNIX_EPOCH)
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
fn a_message_is_a_cloud_event_with_the_payload_as_it_is() {
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
        "specversion": "1.0", "id": "4711", "source": "/v1/tickets", "type": "ticket.public_reply_added",
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
fn an_odd_event_is_relayed_all_the_same() {
    for metadata in ["{}", "null", "7", r#"{"actor":7}"#, r#"{"command_id":"","traceparent":"a\r\nb"}"#] {
        let event = RecordedEvent { metadata: metadata.into(), event_type: ".x y*>.é".into(), ..event() };
        let message = Message::of(&event, &config());
        assert_eq!(message.subject, "docket._.00000000-0000-0000-0000-000000000007.x_y__._");
        assert!(message.headers.get(HeaderName::from_static("traceparent")).is_none());
        assert_eq!(difference(&event, &message.payload), None, "{metadata}");
    }
}

#[test]
fn the_largest_event_fits() {
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
fn every_essential_difference_is_seen() {
    let original = event();
    let payload = Message::of(&original, &config()).payload;
    assert_eq!(difference(&original, &payload), None);
    let changed: [(&str, RecordedEvent); 8] = [
        ("id", RecordedEvent { position: Position(1), ..event() }),
        ("subject", RecordedEvent { stream_id: StreamId(uuid::Uuid::from_u128(8)), ..event() }),
        ("streamversion", RecordedEvent { version: Version(4), ..event() }),
        ("type", RecordedEvent { event_type: "ticket.closed".into(), ..event() }),
        ("schemaversion", RecordedEvent { schema_version: 2, ..event() }),
        ("time", RecordedEvent { occurred_at: event().recorded_at, ..event() }),
        ("command", RecordedEvent { metadata: "{}".into(), ..event() }),
        ("data", RecordedEvent { payload: "{}".into(), ..event() }),
    ];
    for (what, other) in changed {
        let found = difference(&other, &payload).unwrap_or_default();
        assert!(found.contains(what), "{what}: {found:?}");
    }
    assert!(difference(&original, b"hello").unwrap().contains("no event"));
}
