//! The events of a record as clients see them.

use desk::Entry;
use serde::Serialize;
use serde_json::{Value, json};
use shared_kernel::{ActorRef, DomainEvent, codec};
use utoipa::ToSchema;

use crate::schema::{EXAMPLE_AGENT, EXAMPLE_ID};
use crate::time::rfc3339;

/// An event of a record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(super) struct EventView {
    /// Such as `ticket.resolved`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The position in the record's stream.
    version: i64,
    /// The position in the log.
    position: i64,
    actor: Option<ActorView>,
    /// The command id and, where it was not the actor's own wish, the rule or the import behind it.
    cause: Value,
    /// When it happened.
    #[schema(format = DateTime)]
    time: String,
    /// By the type of the event.
    data: Value,
}

/// Who caused an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Actor)]
pub(super) struct ActorView {
    /// `requester`, `agent` or `system`.
    kind: String,
    /// A requester's person id, an agent's id, or the name of a part of the program.
    id: String,
    /// The id of the API key whose owner acted for this person. For staff.
    via: Option<String>,
}

impl From<&ActorRef> for ActorView {
    fn from(actor: &ActorRef) -> Self {
        Self { kind: actor.kind.to_string(), id: actor.id.clone(), via: actor.via.clone() }
    }
}

impl<E: DomainEvent> From<&Entry<E>> for EventView {
    fn from(entry: &Entry<E>) -> Self {
        let encoded = codec::encode(&entry.event).expect("an event that was decoded can be encoded");
        let mut cause = json!({"command_id": entry.command_id});
        if let Some(rule) = &entry.cause {
            cause["because"] = rule.clone();
        }
        Self {
            kind: entry.event.event_type(),
            version: entry.version.0,
            position: entry.position.0,
            actor: entry.actor.as_ref().map(ActorView::from),
            cause,
            time: rfc3339(entry.occurred_at),
            data: serde_json::from_str(&encoded.payload).expect("the codec writes JSON"),
        }
    }
}

/// A page of the events of a record, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = History)]
pub(super) struct HistoryView {
    pub(super) items: Vec<EventView>,
    /// The start of the next page: send it as `cursor`. Null on the last page.
    pub(super) next_cursor: Option<String>,
}

impl HistoryView {
    pub(super) fn example() -> Value {
        json!({"items": [{
            "type": "ticket.agent_assigned", "version": 2, "position": 4711,
            "actor": {"kind": "agent", "id": EXAMPLE_AGENT, "via": null}, "cause": {"command_id": EXAMPLE_ID},
            "time": "2026-01-31T09:32:10Z", "data": {"from": null, "to": EXAMPLE_AGENT, "method": "self"},
        }], "next_cursor": null})
    }
}
