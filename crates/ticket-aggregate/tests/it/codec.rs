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
fn the_newest_version_is_written_as_the_golden_file_has_it() {
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
fn the_newest_version_is_read_back() {
    for event in samples::events() {
        let version = schema_version(event.event_type()).unwrap();
        let payload = stored(event.event_type(), version);
        assert_eq!(decode::<Event>(event.event_type(), version, &payload).unwrap(), event);
    }
}

#[test]
fn every_older_version_is_still_read() {
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
fn openings_of_version_1_came_by_the_api_and_had_no_category() {
    let event = decode::<Event>("ticket.opened", 1, &stored("ticket.opened", 1)).unwrap();
    let Event::TicketOpened(opened) = event else { panic!("{event:?}") };
    assert_eq!(opened.channel.as_str(), "api");
    assert_eq!(opened.category, None);
    // and everything else as it was written
    assert_eq!(opened.number.get(), 7);
    assert_eq!(opened.requester.unwrap().email(), "old@example.com");
    assert_eq!(opened.tags.len(), 2);
}

#[test]
fn an_unknown_type_is_named() {
    for event_type in ["ticket.exploded", "agent.registered", "", "ticket.closed\":{},\"x"] {
        match decode::<Event>(event_type, 1, "{}") {
            Err(DecodeError::UnknownType { event_type: named }) => assert_eq!(named, event_type),
            other => panic!("{other:?}"),
        }
        assert_eq!(schema_version(event_type), None);
    }
}

#[test]
fn a_version_from_the_future_is_not_guessed_at() {
    for found in [3, 0, -1] {
        match decode::<Event>("ticket.opened", found, "{}") {
            Err(DecodeError::UnknownVersion { found: named, newest: 2, .. }) => {
                assert_eq!(named, found);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_payload_of_another_shape_is_malformed() {
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
    assert!(matches!(decode::<Event>("ticket.opened", 1, "[]"), Err(DecodeError::Malformed { .. })));
}
