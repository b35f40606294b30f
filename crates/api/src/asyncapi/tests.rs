use std::collections::BTreeSet;
use std::path::PathBuf;

use agent_aggregate::{Override, Presence};
use desk::{KeyEvent, Scope};
use person_aggregate::IdentityKind;
use settings_aggregate::{Kind, Setting, Team};
use shared_kernel::{Aggregate, Role, codec};
use ticket_aggregate::{AssignmentMethod, ClosedReason, LinkKind, Priority, Trigger};

use super::*;

/// Every version of every event, as the codecs' tests keep it: name and payload. Of some there are several.
fn golden() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for owner in ["ticket-aggregate", "person-aggregate", "agent-aggregate", "settings-aggregate", "desk"] {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../{owner}/tests/golden"));
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let payload = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            // what stands between the type and the version tells one example from another
            let parts: Vec<_> = path.file_stem().unwrap().to_str().unwrap().split('.').collect();
            found.push((format!("{}.{}.{}", parts[0], parts[1], parts.last().unwrap()), payload));
        }
    }
    assert!(found.len() >= event_types::all().count());
    found
}

fn is_read(event_type: &str, version: i16, payload: &str) -> bool {
    let (noun, _) = event_type.split_once('.').unwrap();
    match noun {
        "ticket" => codec::decode::<ticket_aggregate::Event>(event_type, version, payload).is_ok(),
        "person" => codec::decode::<person_aggregate::Event>(event_type, version, payload).is_ok(),
        "agent" => codec::decode::<agent_aggregate::Event>(event_type, version, payload).is_ok(),
        "team" => codec::decode::<<Setting<Team> as Aggregate>::Event>(event_type, version, payload).is_ok(),
        "api_key" => codec::decode::<KeyEvent>(event_type, version, payload).is_ok(),
        other => panic!("{other}"),
    }
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
    assert_eq!(document["channels"].as_object().unwrap().len(), event_types::all().count());
    assert_eq!(document["channels"]["ticket.resolved"]["address"], "docket.ticket.{ticketId}.resolved");
    assert_eq!(document["channels"]["api_key.created"]["address"], "docket.api_key.{apiKeyId}.created");
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
            let taken = is_read(event_type, version.parse().unwrap(), &null.to_string());
            assert_eq!(validator.is_valid(&null), taken, "{name}, {member} null");
        }
    }
}

#[test]
fn closed_vocabularies_are_the_codes_own() {
    let words = |name: &str| VALUES[name]["enum"].as_array().unwrap().clone();
    let told = |all: &[&str]| all.iter().map(|word| json!(word)).collect::<Vec<_>>();
    assert_eq!(words("presence"), told(&Presence::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("override"), told(&Override::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("identity_kind"), told(&IdentityKind::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("role"), told(&Role::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("scope"), told(&Scope::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("priority"), told(&Priority::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("link_kind"), told(&LinkKind::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("trigger"), told(&Trigger::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("closed_reason"), told(&ClosedReason::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
    assert_eq!(words("assignment_method"), told(&AssignmentMethod::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>()));
}

#[test]
fn team_document_is_the_kinds_own() {
    let (told, kept) = (&EVENTS["team.created.v1"]["properties"]["document"], Team::schema());
    for member in ["type", "additionalProperties"] {
        assert_eq!(told[member], kept[member]);
    }
    let limit = |schema: &Value| schema["properties"]["description"]["maxLength"].clone();
    assert_eq!(limit(told), limit(&kept));
}
