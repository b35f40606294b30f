//! Old shapes of events, lifted to the newest one step at a time.
//!
//! A step works on JSON and not on old Rust types: the history of shapes is then this file and the golden files, and
//! never a museum of structs.

use serde_json::{Map, Value};

type Members = Map<String, Value>;

/// Lifts a payload of that version to the newest.
pub(super) fn lift(event_type: &str, mut version: i16, payload: &str) -> Result<String, serde_json::Error> {
    let mut members: Members = serde_json::from_str(payload)?;
    while let Some(step) = step(event_type, version) {
        step(&mut members);
        version += 1;
    }
    serde_json::to_string(&members)
}

/// What leads from that version to the next.
fn step(event_type: &str, version: i16) -> Option<fn(&mut Members)> {
    match (event_type, version) {
        ("ticket.opened", 1) => Some(opened_v1_to_v2),
        _ => None,
    }
}

/// Version 1 knew neither channels nor categories; every ticket came by the API then.
fn opened_v1_to_v2(members: &mut Members) {
    members.insert("channel".to_owned(), Value::from("api"));
    members.insert("category".to_owned(), Value::Null);
}
