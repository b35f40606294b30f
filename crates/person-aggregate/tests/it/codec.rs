//! The stored form of events. Golden files hold every version of every event, byte by byte.
//!
//! A file, once committed, never changes: the log holds such payloads for ever. A new version gets a new file:
//! `UPDATE_GOLDEN=1 cargo test -p person-aggregate codec` writes the missing files of the newest versions.

use std::collections::BTreeSet;
use std::path::PathBuf;

use person_aggregate::Event;
use shared_kernel::DomainEvent;
use shared_kernel::codec::{DecodeError, decode, encode};

use crate::samples;

fn golden(name: &str, version: i16) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    PathBuf::from(folder).join(format!("{name}.v{version}.json"))
}

/// Every sample and the name of its golden file.
fn golden_samples() -> Vec<(&'static str, Event)> {
    let by_type = samples::events().into_iter().map(|event| (event.event_type(), event));
    by_type.chain(samples::additions()).collect()
}

#[test]
fn every_type_has_a_sample() {
    let types: Vec<&str> = samples::events().iter().map(Event::event_type).collect();
    assert_eq!(types, Event::TYPES.iter().map(|it| it.name).collect::<Vec<_>>());
}

#[test]
fn newest_version_is_written_as_golden_file() {
    for (name, event) in golden_samples() {
        let encoded = encode(&event).unwrap();
        let path = golden(name, encoded.schema_version);
        if std::env::var_os("UPDATE_GOLDEN").is_some() && !path.exists() {
            std::fs::write(&path, format!("{}\n", encoded.payload)).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
        assert_eq!(encoded.payload, stored.trim_end());
        let read = decode::<Event>(encoded.event_type, encoded.schema_version, stored.trim_end()).unwrap();
        assert_eq!(read, event);
        // addresses are equal by their key: the text must come back as well
        assert_eq!(encode(&read).unwrap(), encoded);
    }
}

#[test]
fn golden_files_are_of_known_types_and_versions() {
    let more = samples::additions().into_iter().map(|(name, _)| golden(name, 1));
    let known = Event::TYPES.iter().flat_map(|it| (1..=it.schema_version()).map(|version| golden(it.name, version)));
    let known: BTreeSet<PathBuf> = known.chain(more).collect();
    let folder = golden("x", 1).parent().unwrap().to_owned();
    let found: BTreeSet<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(found, known);
}

#[test]
fn other_shapes_are_malformed() {
    let of = "00000000-0000-0000-0000-000000000007";
    let faulty = [
        "{}".to_owned(),
        "[]".to_owned(),
        format!(r#"{{"identity":1,"kind":"email","personal":{{"{of}":{{"value":"rita"}}}}}}"#),
        format!(r#"{{"identity":1,"kind":"oidc","personal":{{"{of}":{{"value":"rita@example.com"}}}}}}"#),
        format!(r#"{{"identity":1,"kind":"email","personal":{{"{of}":{{"value":{{"issuer":"a","subject":"b"}}}}}}}}"#),
        format!(r#"{{"identity":1,"kind":"phone","personal":{{"{of}":{{"value":"1"}}}}}}"#),
        format!(r#"{{"identity":-1,"kind":"external","personal":{{"{of}":{{"value":"1"}}}}}}"#),
        format!(r#"{{"identity":1,"kind":"external","personal":{{"{of}":{{"value":"1","x":1}}}}}}"#),
        format!(r#"{{"identity":1,"kind":"external","personal":{{"{of}":{{"value":"1"}}}},"x":1}}"#),
        r#"{"identity":1,"kind":"external","personal":{}}"#.to_owned(),
    ];
    for payload in faulty {
        let outcome = decode::<Event>("person.identity_added", 1, &payload);
        assert!(matches!(outcome, Err(DecodeError::Malformed { .. })), "{payload}: {outcome:?}");
    }
    for (name, payload) in [("person.unblocked", r#"{"x":1}"#), ("person.blocked", "{}"), ("person.merged", "{}")] {
        let outcome = decode::<Event>(name, 1, payload);
        assert!(matches!(outcome, Err(DecodeError::Malformed { .. })), "{payload}: {outcome:?}");
    }
}
