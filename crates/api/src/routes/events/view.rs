//! Events as `CloudEvents`.

use desk::{AnyEntry, Entry};
use eventstore::RecordedEvent;
use serde::Serialize;
use serde_json::{Value, json};
use shared_kernel::{DomainEvent, codec};
use utoipa::ToSchema;

use crate::schema::{EXAMPLE_AGENT, EXAMPLE_ID};
use crate::time::rfc3339;

/// A page of events, in the order of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Events)]
pub(super) struct EventsView {
    pub(super) items: Vec<CloudEventView>,
    /// The position to continue after. Null where there are no more events now.
    pub(super) next_cursor: Option<String>,
}

impl EventsView {
    pub(super) fn example() -> Value {
        json!({"items": [CloudEventView::example()], "next_cursor": "4711"})
    }
}

/// An event of the log as a `CloudEvent` (CloudEvents 1.0, structured mode).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CloudEvent)]
pub(super) struct CloudEventView {
    #[schema(example = "1.0")]
    specversion: &'static str,
    /// The position as a string: unique within the source.
    id: String,
    /// The installation: `urn:uuid:` and its id.
    #[schema(format = "uri")]
    source: String,
    #[serde(rename = "type")]
    kind: String,
    /// The id of the record.
    #[schema(format = Uuid)]
    subject: String,
    /// When it happened.
    #[schema(format = DateTime)]
    time: String,
    datacontenttype: &'static str,
    /// The position in the log.
    position: i64,
    /// The position in the record's stream.
    streamversion: i64,
    /// The schema version of `data`.
    schemaversion: i16,
    /// When it was recorded.
    #[schema(format = DateTime)]
    recordedtime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    actorkind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    actorid: Option<String>,
    /// The API key whose owner acted for this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    actorvia: Option<String>,
    #[schema(format = Uuid)]
    commandid: String,
    /// W3C Trace Context of the request that recorded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    traceparent: Option<String>,
    /// By the type of the event, in the newest schema version.
    #[schema(value_type = Object)]
    data: Value,
}

impl CloudEventView {
    /// An event as the caller may see it.
    pub(super) fn of(source: &str, recorded: &RecordedEvent, seen: &AnyEntry) -> Self {
        match seen {
            AnyEntry::Ticket(entry) => Self::of_entry(source, recorded, entry),
            AnyEntry::Person(entry) => Self::of_entry(source, recorded, entry),
            AnyEntry::Agent(entry) => Self::of_entry(source, recorded, entry),
            AnyEntry::Team(entry) => Self::of_entry(source, recorded, entry),
            AnyEntry::Key(entry) => Self::of_entry(source, recorded, entry),
        }
    }

    fn of_entry<E: DomainEvent>(source: &str, recorded: &RecordedEvent, seen: &Entry<E>) -> Self {
        let encoded = codec::encode(&seen.event).expect("an event that was decoded can be encoded");
        Self {
            specversion: "1.0",
            id: seen.position.to_string(),
            source: source.to_owned(),
            kind: seen.event.event_type().to_owned(),
            subject: recorded.stream_id.to_string(),
            time: rfc3339(seen.occurred_at),
            datacontenttype: "application/json",
            position: seen.position.0,
            streamversion: seen.version.0,
            schemaversion: encoded.schema_version,
            recordedtime: rfc3339(seen.recorded_at),
            actorkind: seen.actor.as_ref().map(|actor| actor.kind.to_string()),
            actorid: seen.actor.as_ref().map(|actor| actor.id.clone()),
            actorvia: seen.actor.as_ref().and_then(|actor| actor.via.clone()),
            commandid: seen.command_id.to_string(),
            traceparent: recorded.metadata().ok().and_then(|metadata| metadata.traceparent),
            data: serde_json::from_str(&encoded.payload).expect("the codec writes JSON"),
        }
    }

    pub(super) fn example() -> Value {
        json!({
            "specversion": "1.0", "id": "4711", "source": "urn:uuid:6f2c1c0e-3c3b-4b7e-9d0a-6b8f5a1f2e3d", "type": "ticket.agent_assigned",
            "subject": EXAMPLE_ID, "time": "2026-01-31T09:32:10Z", "datacontenttype": "application/json",
            "position": 4711, "streamversion": 2, "schemaversion": 1,
            "recordedtime": "2026-01-31T09:32:10.001Z", "actorkind": "agent", "actorid": EXAMPLE_AGENT,
            "commandid": "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11",
            "data": {"from": null, "to": EXAMPLE_AGENT, "method": "self"},
        })
    }
}
