use std::collections::BTreeSet;
use std::path::PathBuf;

use ticket_aggregate::{AssignmentMethod, ClosedReason, LinkKind, Priority, Trigger};

use shared_kernel::codec;

use super::*;

/// Every version of every event, as the codec's tests keep it.
fn golden() -> Vec<(String, Value)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../ticket-aggregate/tests/golden"));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let payload = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        found.push((path.file_stem().unwrap().to_str().unwrap().to_owned(), payload));
    }
    assert!(found.len() >= Event::TYPES.len());
    found
}

fn validator(name: &str) -> jsonschema::Validator {
    let schema = json!({"$ref": format!("#/components/schemas/{name}"), "components": document()["components"]});
    jsonschema::draft7::options().should_validate_formats(true).build(&schema).unwrap()
}

#[test]
fn every_version_of_every_event_has_its_schema_and_no_other() {
    let kept: BTreeSet<String> = EVENTS.keys().cloned().collect();
    assert_eq!(kept, golden().into_iter().map(|(name, _)| name).collect());
    let document = document();
    let described: BTreeSet<String> = document["components"]["messages"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(kept, described);
    assert_eq!(document["channels"].as_object().unwrap().len(), Event::TYPES.len());
    assert_eq!(document["channels"]["ticket.resolved"]["address"], "docket.ticket.{ticketId}.resolved");
}

#[test]
fn what_is_recorded_fits_its_schema_and_nothing_else_does() {
    for (name, payload) in golden() {
        let validator = validator(&name);
        if let Err(error) = validator.validate(&payload) {
            panic!("{name}: {error} at {}", error.instance_path());
        }
        let members = payload.as_object().unwrap();
        let described: BTreeSet<&String> = EVENTS[&name]["properties"].as_object().unwrap().keys().collect();
        assert_eq!(described, members.keys().collect(), "{name}");
        for member in members.keys() {
            let mut without = payload.clone();
            without.as_object_mut().unwrap().remove(member);
            assert!(!validator.is_valid(&without), "{name} without {member}");
            let mut other = payload.clone();
            other[member] = json!({"of another": "form"});
            assert!(!validator.is_valid(&other), "{name} with another {member}");
        }
        let mut more = payload.clone();
        more["more"] = json!(1);
        assert!(!validator.is_valid(&more), "{name} with more");
    }
}

/// What may be absent in an event may be null in its schema, and the other way round.
#[test]
fn null_is_allowed_where_the_codec_takes_it() {
    for (name, payload) in golden() {
        let (event_type, version) = name.rsplit_once(".v").unwrap();
        let validator = validator(&name);
        for member in payload.as_object().unwrap().keys() {
            let mut null = payload.clone();
            null[member] = Value::Null;
            let taken = codec::decode::<Event>(event_type, version.parse().unwrap(), &null.to_string()).is_ok();
            assert_eq!(validator.is_valid(&null), taken, "{name}, {member} null");
        }
    }
}

#[test]
fn closed_vocabularies_are_the_codes_own() {
    let words = |name: &str| VALUES[name]["enum"].as_array().unwrap().clone();
    let told = |all: &[&str]| all.iter().map(|word| json!(word)).collect::<Vec<_>>();
    assert_eq!(words("priority"), told(&Priority::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("link_kind"), told(&LinkKind::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("trigger"), told(&Trigger::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("closed_reason"), told(&ClosedReason::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("assignment_method"), told(&AssignmentMethod::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
}
