//! The stored form of events. Golden files hold every version of every event, byte by byte.
//!
//! A file, once committed, never changes: the log holds such payloads for ever. A new version gets a new file:
//! `UPDATE_GOLDEN=1 cargo test -p settings-aggregate codec` writes the missing files of the newest versions.

use std::collections::BTreeSet;
use std::path::PathBuf;

use settings_aggregate::{Event, Team, TeamDocument};
use shared_kernel::DomainEvent;
use shared_kernel::codec::{DecodeError, decode, encode};

use crate::scenario::{events, revised};

fn golden(event_type: &str, version: i16) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    PathBuf::from(folder).join(format!("{event_type}.v{version}.json"))
}

#[test]
fn every_type_has_a_sample() {
    let types: Vec<&str> = events().iter().map(Event::event_type).collect();
    assert_eq!(types, Event::<Team>::TYPES.iter().map(|it| it.name).collect::<Vec<_>>());
}

#[test]
fn newest_version_is_written_as_golden_file() {
    for event in events() {
        let encoded = encode(&event).unwrap();
        let path = golden(encoded.event_type, encoded.schema_version);
        if std::env::var_os("UPDATE_GOLDEN").is_some() && !path.exists() {
            std::fs::write(&path, format!("{}\n", encoded.payload)).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
        assert_eq!(encoded.payload, stored.trim_end());
        let read = decode::<Event<Team>>(encoded.event_type, encoded.schema_version, stored.trim_end()).unwrap();
        assert_eq!(read, event);
    }
}

#[test]
fn golden_files_are_of_known_types_and_versions() {
    let types = Event::<Team>::TYPES.iter();
    let known: BTreeSet<PathBuf> =
        types.flat_map(|it| (1..=it.schema_version()).map(|version| golden(it.name, version))).collect();
    let folder = golden("x", 1).parent().unwrap().to_owned();
    let found: BTreeSet<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(found, known);
}

#[test]
fn absent_members_are_left_out() {
    let payload = r#"{"name":"Facilities","document":{}}"#;
    let event = revised("Facilities", TeamDocument::default());
    assert_eq!(encode(&event).unwrap().payload, payload);
    assert_eq!(decode::<Event<Team>>("team.revised", 1, payload).unwrap(), event);
}

#[test]
fn other_shapes_are_malformed() {
    let faulty = [
        ("team.retired", ""),
        ("team.retired", "null"),
        ("team.retired", "[]"),
        ("team.retired", r#"{"x":1}"#),
        ("team.retired", r#"{},"team.retired":{}"#),
        ("team.revised", "{}"),
        ("team.revised", r#"{"name":"A"}"#),
        ("team.revised", r#"{"name":" ","document":{}}"#),
        ("team.revised", r#"{"name":"A","document":{},"x":1}"#),
        ("team.revised", r#"{"name":"A","document":{"x":1}}"#),
        ("team.revised", r#"{"name":"A","name":"A","document":{}}"#),
        ("team.created", r#"{"name":"A","document":{}}"#),
    ];
    for (event_type, payload) in faulty {
        let outcome = decode::<Event<Team>>(event_type, 1, payload);
        assert!(matches!(outcome, Err(DecodeError::Malformed { .. })), "{event_type} {payload}: {outcome:?}");
    }
    for tagged in ["{}", "[]", r#"{"team.exploded":{}}"#] {
        assert!(serde_json::from_str::<Event<Team>>(tagged).is_err(), "{tagged}");
    }
}

#[test]
fn unknown_types_are_named() {
    for event_type in ["team.exploded", "ticket.opened", "team.retired\":{},\"x"] {
        match decode::<Event<Team>>(event_type, 1, "{}") {
            Err(DecodeError::UnknownType { event_type: named }) => assert_eq!(named, event_type),
            other => panic!("{other:?}"),
        }
    }
}
