use serde::{Deserialize, Serialize};
use shared_kernel::{DomainEvent, EventType, Stamp, uuid_id};

use chrono::DateTime;
use eventstore::{Position, StreamId, Version};
use shared_kernel::Aggregate;

use super::*;
use crate::codec;

uuid_id! {
    /// A letter.
    LetterId;
}

/// An aggregate whose state is a text.
#[derive(Debug)]
pub(crate) struct Letter;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Written {
    #[serde(rename = "letter.written")]
    Written { text: String },
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("empty")]
pub(crate) struct Empty;

impl DomainEvent for Written {
    const TYPES: &'static [EventType] = &[EventType::new("letter.written")];

    fn event_type(&self) -> &'static str {
        "letter.written"
    }
}

impl Aggregate for Letter {
    const TYPE: &'static str = "letter";
    const STATE_SCHEMA: i16 = 1;
    type Id = LetterId;
    type State = String;
    type Command = String;
    type Event = Written;
    type Context = ();
    type Rejection = Empty;

    fn decide(_: Option<&String>, text: &String, (): &()) -> Result<Vec<Written>, Empty> {
        if text.is_empty() { Err(Empty) } else { Ok(vec![Written::Written { text: text.clone() }]) }
    }

    fn evolve(state: Option<String>, Written::Written { text }: &Written, _: &Stamp) -> Option<String> {
        Some(state.unwrap_or_default() + text)
    }

    fn check_step(_: Option<&String>, Written::Written { text }: &Written) -> Result<(), Box<dyn std::error::Error>> {
        if text.is_empty() { Err(Box::new(Empty)) } else { Ok(()) }
    }

    fn size_of(state: &String) -> usize {
        state.len()
    }
}

fn written(payload: &str) -> RecordedEvent {
    RecordedEvent {
        position: Position(1),
        stream_id: StreamId(uuid::Uuid::from_u128(1)),
        stream_type: codec::stream_type::<Letter>(),
        version: Version(1),
        event_type: "letter.written".into(),
        schema_version: 1,
        payload: payload.into(),
        metadata: "{}".into(),
        occurred_at: DateTime::UNIX_EPOCH,
        recorded_at: DateTime::UNIX_EPOCH,
    }
}

#[test]
fn audit_names_illegal_and_unreadable_steps() {
    let mut audit = FoldAudit::<Letter>::default();
    assert_eq!(audit.step(&written(r#"{"text":"a"}"#)), Ok(()));
    assert_eq!(audit.step(&written(r#"{"text":""}"#)).unwrap_err().rule, "illegal_step");
    assert_eq!(audit.step(&written("{}")).unwrap_err().rule, "unreadable_event");
    assert_eq!(audit.state(), None, "what an unreadable event would make of it is not known");
    audit.next_stream();
    assert_eq!(audit.step(&written(r#"{"text":"b"}"#)), Ok(()));
    assert_eq!(audit.state().map(String::as_str), Some("b"));
}
