//! What holds for the stored form of every event, and for whatever else might stand in its place.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use shared_kernel::codec::{self, decode, encode};
use shared_kernel::{DomainEvent, EventType};
use ticket_aggregate::Event;

use crate::{arbitrary, samples};

fn types() -> Vec<&'static str> {
    Event::TYPES.iter().map(|it| it.name).collect()
}

fn schema_version(event_type: &str) -> Option<i16> {
    codec::event_type::<Event>(event_type).map(EventType::schema_version)
}

fn cases(cases: u32) -> ProptestConfig {
    // PROPTEST_CASES goes before it
    let config = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..config }
}

/// The members of a sample's payload, one of them replaced, removed or added.
fn mutilated() -> impl Strategy<Value = (usize, String)> {
    let value = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!(["a", "a"])),
    ];
    (0..Event::TYPES.len(), any::<prop::sample::Index>(), prop::option::of(value), any::<bool>()).prop_map(
        |(index, member, value, added)| {
            let payload = encode(&samples::events()[index]).unwrap().payload;
            let mut members: Map<String, Value> = serde_json::from_str(&payload).unwrap();
            let names: Vec<String> = members.keys().cloned().chain([String::from("more")]).collect();
            let name = if added { "more" } else { &names[member.index(names.len())] };
            match value {
                Some(value) => members.insert(name.to_owned(), value),
                None => members.remove(name),
            };
            (index, Value::Object(members).to_string())
        },
    )
}

/// What was read is an object, and from its first writing on the same bytes for ever.
fn settles(event_type: &str, payload: &str, event: &Event) {
    assert!(serde_json::from_str::<Map<String, Value>>(payload).is_ok(), "{event_type} from {payload}");
    let first = encode(event).unwrap();
    let again = decode::<Event>(first.event_type, first.schema_version, &first.payload).unwrap();
    assert_eq!((&again, encode(&again).unwrap()), (event, first));
}

proptest! {
    #![proptest_config(cases(1_024))]

    #[test]
    fn events_round_trip(event in arbitrary::events()) {
        let encoded = encode(&event).unwrap();
        let read = decode::<Event>(encoded.event_type, encoded.schema_version, &encoded.payload);
        prop_assert_eq!(read.map_err(|error| format!("{error:?}")), Ok(event.clone()));
        prop_assert_eq!(encode(&event).unwrap(), encoded);
        if let Some(view) = event.public_view() {
            prop_assert_eq!(view.event_type(), event.event_type());
            prop_assert_eq!(view.public_view(), Some(view.clone()));
            let shown = encode(&view).unwrap();
            prop_assert_eq!(decode::<Event>(shown.event_type, shown.schema_version, &shown.payload).unwrap(), view);
        }
    }

    #[test]
    fn damaged_payload_is_refused_or_settles((index, payload) in mutilated()) {
        let event_type = Event::TYPES[index].name;
        for version in 1..=schema_version(event_type).unwrap() {
            match decode::<Event>(event_type, version, &payload) {
                Ok(event) => settles(event_type, &payload, &event),
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                    prop_assert!(error.to_string().contains(event_type) && !cause.is_empty(), "{error}: {cause}");
                }
            }
        }
    }

    #[test]
    fn decode_takes_any_text(event_type in prop::sample::select(types()), version in -1..4_i16,
                                    payload in prop_oneof![any::<String>(), "[\\[\\]{}:,\" 0-9a-z]{0,30}"]) {
        match decode::<Event>(event_type, version, &payload) {
            Ok(event) => settles(event_type, &payload, &event),
            Err(error) => prop_assert!(error.to_string().contains(event_type), "{error}"),
        }
    }

    #[test]
    fn array_is_no_payload(event in arbitrary::events()) {
        // serde takes a list of values for a struct; the log never holds one
        let encoded = encode(&event).unwrap();
        let members: Map<String, Value> = serde_json::from_str(&encoded.payload).unwrap();
        let list = Value::Array(members.into_values().collect()).to_string();
        prop_assert!(decode::<Event>(encoded.event_type, encoded.schema_version, &list).is_err(), "{list}");
    }
}
