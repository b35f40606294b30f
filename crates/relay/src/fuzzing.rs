//! The fuzz target for messages (`tools/fuzz/`).

use chrono::{DateTime, TimeDelta};
use eventstore::{Position, RecordedEvent, StreamId, Version};
use serde_json::{Map, Value};

use crate::Config;
use crate::envelope::{Message, identity_difference};

/// A fuzz target: its name, and its entry point.
pub type Target = (&'static str, fn(&[u8]));

/// All fuzz targets.
pub const TARGETS: &[Target] = &[("cloud_event", cloud_event)];

/// Input: three lines with an event's type, metadata and payload.
pub fn cloud_event(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let (event_type, metadata, payload) = (line(), line(), line());
    let seed = data.iter().fold(7_i64, |seed, byte| seed.wrapping_mul(31).wrapping_add((*byte).into()));
    let times = [seed, seed.rotate_left(20)].map(|n| TimeDelta::microseconds(n % 62_000_000_000_000_000));
    let event = RecordedEvent {
        position: Position((seed & i64::MAX) | 1),
        stream_id: StreamId(serde_json::from_value("01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11".into()).unwrap_or_default()),
        stream_type: eventstore::StreamType::from_static("ticket"),
        version: Version(seed >> 40),
        event_type,
        schema_version: i16::try_from(seed & 0xff).unwrap_or_default(),
        // the column's type is JSON
        payload: match serde_json::from_str::<&serde_json::value::RawValue>(&payload) {
            Ok(_) => payload.clone(),
            Err(_) => Value::from(payload.as_str()).to_string(),
        },
        metadata,
        occurred_at: DateTime::UNIX_EPOCH + times[0],
        recorded_at: DateTime::UNIX_EPOCH + times[1],
    };
    check(&event);
    // arbitrary bytes on the broker are compared without a panic
    assert!(identity_difference(&event, data).is_some() || data.len() > 100);
}

/// The invariants of any event's message: it is a `CloudEvent` (1.0, structured JSON), and reads back as the event.
pub(crate) fn check(event: &RecordedEvent) {
    let config =
        Config::new("nats://127.0.0.1", "urn:uuid:00000000-0000-0000-0000-000000000001", || DateTime::UNIX_EPOCH);
    let message = Message::of(event, &config);
    assert_eq!(identity_difference(event, &message.payload), None);
    let read: Result<Map<String, Value>, _> = serde_json::from_slice(&message.payload);
    assert!(read.is_ok(), "{}", String::from_utf8_lossy(&message.payload));
    let read = read.unwrap_or_default();
    for (name, value) in &read {
        // CloudEvents 1.0, 3: names of lower-case letters and digits; 3.1: texts are not empty; nothing is null
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{name}");
        let text = value.as_str().is_none_or(|text| !text.is_empty() || event.event_type.is_empty());
        assert!(name == "data" || (text && !value.is_null()), "{name}: {value}");
    }
    for time in ["time", "recordedtime"] {
        let text = read.get(time).and_then(Value::as_str).unwrap_or_default();
        assert!(DateTime::parse_from_rfc3339(text).is_ok() && text.len() <= 27, "{text}");
    }
    assert_eq!(read.get("specversion").and_then(Value::as_str), Some("1.0"));
    assert_eq!(read.get("position").and_then(Value::as_i64), Some(event.position.0));
    assert_eq!(read.get("data").map(ToString::to_string).is_some(), !event.payload.is_empty());
    let word = |word: &str| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || "*>".contains(c));
    assert!(message.subject.split('.').all(word), "{}", message.subject);
}

#[cfg(test)]
mod tests;
