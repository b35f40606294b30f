//! The stored form of events. Golden files hold every version of every event, byte by byte.
//!
//! A file, once committed, never changes: the log holds such payloads for ever. A new version gets a new file:
//! `UPDATE_GOLDEN=1 cargo test -p agent-aggregate codec` writes the missing files of the newest versions.

use std::collections::BTreeSet;
use std::path::PathBuf;

use agent_aggregate::Event;
use shared_kernel::codec::{self, DecodeError, decode, encode};
use shared_kernel::{DomainEvent, EventType};

use crate::samples;
use crate::scenario::{registered_with, reserved};

fn schema_version(event_type: &str) -> Option<i16> {
    codec::event_type::<Event>(event_type).map(EventType::schema_version)
}

fn golden(event_type: &str, version: i16) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    PathBuf::from(folder).join(format!("{event_type}.v{version}.json"))
}

fn stored(event_type: &str, version: i16) -> String {
    let path = golden(event_type, version);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
    text.trim_end().to_owned()
}

#[test]
fn there_is_a_sample_of_every_type() {
    let types: Vec<&str> = samples::events().iter().map(Event::event_type).collect();
    assert_eq!(types, Event::TYPES.iter().map(|it| it.name).collect::<Vec<_>>());
}

#[test]
fn newest_version_is_written_as_golden() {
    for event in samples::events() {
        let encoded = encode(&event).unwrap();
        assert_eq!(encoded.event_type, event.event_type());
        assert_eq!(Some(encoded.schema_version), schema_version(encoded.event_type));
        let path = golden(encoded.event_type, encoded.schema_version);
        if std::env::var_os("UPDATE_GOLDEN").is_some() && !path.exists() {
            std::fs::write(&path, format!("{}\n", encoded.payload)).unwrap();
        }
        assert_eq!(encoded.payload, stored(encoded.event_type, encoded.schema_version));
    }
}

#[test]
fn newest_version_is_read_back() {
    for event in samples::events() {
        let version = schema_version(event.event_type()).unwrap();
        let payload = stored(event.event_type(), version);
        assert_eq!(decode::<Event>(event.event_type(), version, &payload).unwrap(), event);
    }
}

#[test]
fn older_versions_are_still_read() {
    for EventType { name: event_type, .. } in Event::TYPES {
        for version in 1..schema_version(event_type).unwrap() {
            let event = decode::<Event>(event_type, version, &stored(event_type, version)).unwrap();
            assert_eq!(event.event_type(), *event_type);
        }
    }
}

#[test]
fn golden_files_are_of_known_types_and_versions() {
    let known: BTreeSet<PathBuf> =
        Event::TYPES.iter().flat_map(|it| (1..=it.schema_version()).map(|version| golden(it.name, version))).collect();
    let folder = golden("x", 1).parent().unwrap().to_owned();
    let found: BTreeSet<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(found, known);
}

#[test]
fn what_is_absent_is_null() {
    let payload = encode(&registered_with(None)).unwrap().payload;
    assert!(payload.ends_with(r#""capacity":null}"#), "{payload}");
    let payload = encode(&reserved("printer", 1)).unwrap().payload;
    assert!(payload.ends_with(r#""weight":1,"override":null}"#), "{payload}");
}

#[test]
fn unknown_type_is_named() {
    for event_type in ["agent.exploded", "ticket.opened", "", "agent.joined_team\":{},\"x"] {
        match decode::<Event>(event_type, 1, "{}") {
            Err(DecodeError::UnknownType { event_type: named }) => assert_eq!(named, event_type),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn payload_of_another_shape_is_malformed() {
    let faulty = [
        "",
        "null",
        "[]",
        "{}",
        r#"{"from":"online"}"#,
        r#"{"from":"online","to":"asleep"}"#,
        r#"{"from":"online","to":"away","x":1}"#,
        r#"{"from":"online","to":"away","to":"away"}"#,
    ];
    for payload in faulty {
        let outcome = decode::<Event>("agent.presence_changed", 1, payload);
        assert!(matches!(outcome, Err(DecodeError::Malformed { .. })), "{payload}: {outcome:?}");
    }
}
