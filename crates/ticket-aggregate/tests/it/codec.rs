//! The stored form of events. Golden files hold every version of every event, byte by byte.
//!
//! A file, once committed, never changes: the log holds such payloads for ever. A new version gets a new file:
//! `UPDATE_GOLDEN=1 cargo test -p ticket-aggregate codec` writes the missing files of the newest versions.

use shared_kernel::codec::{self, DecodeError, decode, encode};
use shared_kernel::{DomainEvent, EventType};
use std::collections::BTreeSet;
use std::path::PathBuf;

use ticket_aggregate::Event;

use crate::samples;
use crate::scenario::{message_id, person};

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
fn every_type_has_a_sample() {
    let types: Vec<&str> = samples::events().iter().map(Event::event_type).collect();
    assert_eq!(types, Event::TYPES.iter().map(|it| it.name).collect::<Vec<_>>());
}

#[test]
fn encoded_as_golden() {
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
fn golden_files_are_read() {
    for sample in samples::events() {
        let event_type = sample.event_type();
        let newest = schema_version(event_type).unwrap();
        let read = |version| decode::<Event>(event_type, version, &stored(event_type, version)).unwrap();
        assert_eq!(read(newest), sample);
        assert!((1..newest).all(|version| read(version).event_type() == event_type));
    }
}

#[test]
fn golden_files_are_known() {
    let known: BTreeSet<PathBuf> =
        Event::TYPES.iter().flat_map(|it| (1..=it.schema_version()).map(|version| golden(it.name, version))).collect();
    let folder = golden("x", 1).parent().unwrap().to_owned();
    let found: BTreeSet<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(found, known);
}

#[test]
fn unknown_type() {
    for event_type in ["ticket.exploded", "agent.registered", "", "ticket.closed\":{},\"x"] {
        match decode::<Event>(event_type, 1, "{}") {
            Err(DecodeError::UnknownType { event_type: named }) => assert_eq!(named, event_type),
            other => panic!("{other:?}"),
        }
        assert_eq!(schema_version(event_type), None);
    }
}

#[test]
fn unknown_version() {
    for found in [2, 0, -1] {
        match decode::<Event>("ticket.opened", found, "{}") {
            Err(DecodeError::UnknownVersion { found: named, newest: 1, .. }) => {
                assert_eq!(named, found);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn malformed_payload() {
    let faulty = [
        "",
        "null",
        "[]",
        "{}",
        "[\"spam\"]",
        "{\"reason\":\"boredom\"}",
        "{\"reason\":\"spam\"",
        "{\"reason\":\"spam\",\"x\":1}",
        "{\"reason\":\"spam\",\"reason\":\"spam\"}",
        "{\"reason\":\"spam\"},\"ticket.pended\":{}",
    ];
    for payload in faulty {
        let outcome = decode::<Event>("ticket.closed", 1, payload);
        assert!(matches!(outcome, Err(DecodeError::Malformed { .. })), "{payload}: {outcome:?}");
    }
}

#[test]
fn malformed_personal() {
    let message = r#"{"body":"Arson?"}"#;
    let of = |person: &str| format!(r#""{person}":{message}"#);
    let (rita, finn) = (of(&person("rita").to_string()), of(&person("finn").to_string()));
    let note = |personal: &str| {
        let payload = format!(r#"{{"message_id":"{}","personal":{personal}}}"#, message_id(3));
        decode::<Event>("ticket.internal_note_added", 1, &payload)
    };
    assert!(note(&format!("{{{rita}}}")).is_ok());
    for faulty in ["{}", message, &format!("{{{rita},{finn}}}"), &format!("{{{}}}", of("rita@example.com"))] {
        assert!(matches!(note(faulty), Err(DecodeError::Malformed { .. })), "{faulty}");
    }
}
