use proptest::prelude::*;

use super::*;

#[path = "../../../../tools/fuzz/replay.rs"]
mod replay;

#[test]
fn corpus_holds() {
    for (target, run) in TARGETS {
        replay::corpus(target, *run);
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Metadata as the desk writes it, with members missing or of another type.
fn metadata() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec!["command_id", "correlation_id", "traceparent", "actor", "cause", "more"]);
    let person = (prop::option::of(any::<String>()), prop::option::of(any::<String>()))
        .prop_map(|(kind, id)| serde_json::json!({"kind": kind, "id": id}));
    let value = prop_oneof![3 => any::<String>().prop_map(Value::from), 2 => person, 1 => values()];
    let members = prop::collection::btree_map(known.prop_map(str::to_owned), value, 0..6);
    prop_oneof![9 => members.prop_map(|members| serde_json::json!(members).to_string()), 1 => any::<String>()]
}

proptest! {
    #[test]
    fn every_event_is_a_cloud_event(
        event_type in prop_oneof!["ticket\\.[a-z_]{1,12}", any::<String>()],
        metadata in metadata(),
        payload in values(),
        space in "[ \n\t]{0,2}",
        position in 1..i64::MAX,
        version in any::<i64>(),
        schema_version in any::<i16>(),
        id in any::<u128>(),
        micros in prop::array::uniform2(-62_167_219_200_000_000..253_402_300_800_000_000_i64),
    ) {
        let [occurred_at, recorded_at] = micros.map(|micros| DateTime::from_timestamp_micros(micros).unwrap());
        check(&RecordedEvent {
            position: Position(position),
            stream_id: StreamId(uuid::Uuid::from_u128(id)),
            stream_type: eventstore::StreamType::from_static("ticket"),
            version: Version(version),
            event_type,
            schema_version,
            payload: format!("{space}{payload}{space}"),
            metadata,
            occurred_at,
            recorded_at,
        });
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        cloud_event(&bytes);
    }
}
