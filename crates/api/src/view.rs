//! Tickets and their events as clients see them. Nothing here depends on the clock: one entity tag is
//! the same bytes for the same caller.

use chrono::{DateTime, SecondsFormat, Utc};
use desk::{Caller, Entry, VersionedTicket};
use eventstore::Version;
use serde::Serialize;
use serde_json::{Value, json};
use shared_kernel::{DomainEvent, codec};
use ticket_aggregate::{Event, Ticket, TicketId};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::Code;

pub(crate) const EXAMPLE_ID: &str = "01935b1e-8f6a-7c3e-9d2b-5a1f4e6c8d90";

/// A ticket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ticket)]
pub(crate) struct TicketView {
    #[schema(format = Uuid)]
    id: String,
    /// By which people know it: #1042.
    number: i64,
    /// How many events its record has; its entity tag.
    version: i64,
    /// Where it stands.
    #[schema(example = "open")]
    status: String,
    subject: String,
    body: String,
    #[schema(example = "normal")]
    priority: String,
    category: Option<String>,
    team: Option<String>,
    assignee: Option<String>,
    requester: Option<RequesterView>,
    channel: String,
    tags: Vec<String>,
    followers: Vec<String>,
    links: Vec<LinkView>,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    #[schema(format = DateTime)]
    resolved_at: Option<String>,
    /// Until when it can be reopened.
    #[schema(format = DateTime)]
    reopen_until: Option<String>,
    #[schema(format = DateTime)]
    closed_at: Option<String>,
    closed_reason: Option<String>,
    /// The closed ticket that this one goes on from.
    #[schema(format = Uuid)]
    follow_up_of: Option<String>,
    /// The commands that its state and your role allow; a guard may still refuse one.
    allowed_commands: Vec<String>,
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Requester)]
pub(crate) struct RequesterView {
    email: String,
    name: Option<String>,
}

/// What another ticket is to this one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Link)]
pub(crate) struct LinkView {
    kind: String,
    #[schema(format = Uuid)]
    other: String,
}

pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

impl TicketView {
    /// The ticket as the caller may see it.
    pub(crate) fn of(folded: &VersionedTicket, caller: &Caller) -> Self {
        Self::new(folded.id, folded.version, &folded.seen_by(caller), caller)
    }

    /// A ticket of which the caller sees just this much.
    pub(crate) fn new(id: TicketId, version: Version, ticket: &Ticket, caller: &Caller) -> Self {
        Self {
            id: id.to_string(),
            number: ticket.number.get(),
            version: version.0,
            status: ticket.status.to_string(),
            subject: ticket.subject.clone(),
            body: ticket.body.clone(),
            priority: ticket.priority.to_string(),
            category: ticket.category.clone(),
            team: ticket.team.as_ref().map(ToString::to_string),
            assignee: ticket.assignee.as_ref().map(ToString::to_string),
            requester: ticket.requester.as_ref().map(|requester| RequesterView {
                email: requester.email().to_owned(),
                name: requester.name().map(str::to_owned),
            }),
            channel: ticket.channel.to_string(),
            tags: ticket.tags.iter().map(ToString::to_string).collect(),
            followers: ticket.followers.iter().cloned().collect(),
            links: ticket
                .links
                .iter()
                .map(|link| LinkView { kind: link.kind.to_string(), other: link.other.to_string() })
                .collect(),
            opened_at: time(ticket.opened_at),
            updated_at: time(ticket.updated_at),
            resolved_at: ticket.resolved_at.map(time),
            reopen_until: ticket.reopen_until.map(time),
            closed_at: ticket.closed_at.map(time),
            closed_reason: ticket.closed_reason.map(|reason| reason.to_string()),
            follow_up_of: ticket.follow_up_of.map(|id| id.to_string()),
            allowed_commands: ticket.allowed_commands(caller.role).iter().map(ToString::to_string).collect(),
        }
    }

    pub(crate) fn example() -> Value {
        json!({
            "id": EXAMPLE_ID, "number": 1042, "version": 3, "status": "open",
            "subject": "The printer is on fire", "body": "Please come with water.", "priority": "urgent",
            "category": null, "team": "facilities", "assignee": "ada",
            "requester": {"email": "grace@example.com", "name": "Grace"}, "channel": "api",
            "tags": ["printer"], "followers": [], "links": [],
            "opened_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:32:10Z", "resolved_at": null,
            "reopen_until": null, "closed_at": null, "closed_reason": null, "follow_up_of": null,
            "allowed_commands": ["reply", "note", "assign", "resolve"],
        })
    }
}

/// Some tickets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TicketList)]
pub(crate) struct TicketListView {
    pub(crate) items: Vec<TicketView>,
    /// Where the next page begins: send it as `cursor`, with the same filters. Null after the last page.
    pub(crate) next_cursor: Option<String>,
}

impl TicketListView {
    pub(crate) fn example() -> Value {
        json!({"items": [TicketView::example()], "next_cursor": null})
    }
}

/// Something that happened to a ticket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventView {
    /// What: `ticket.resolved`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Its place in the ticket.
    version: i64,
    /// Its place in the log.
    position: i64,
    /// Who did it.
    actor: Option<ActorView>,
    /// Why, where it was not the actor's own wish: `{"command_id"}`, and the rule or the import.
    cause: Value,
    /// When it happened.
    #[schema(format = DateTime)]
    time: String,
    /// What it says, by its type.
    data: Value,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Actor)]
pub(crate) struct ActorView {
    /// `requester`, `agent` or `system`.
    kind: String,
    id: String,
}

impl From<&Entry> for EventView {
    fn from(entry: &Entry) -> Self {
        let data = codec::encode(&entry.event).ok().and_then(|e| serde_json::from_str(&e.payload).ok());
        let mut cause = json!({"command_id": entry.command_id});
        if let Some(rule) = &entry.cause {
            cause["because"] = rule.clone();
        }
        Self {
            kind: entry.event.event_type(),
            version: entry.version.0,
            position: entry.position.0,
            actor: entry.actor.as_ref().map(|a| ActorView { kind: a.kind.to_string(), id: a.id.clone() }),
            cause,
            time: time(entry.occurred_at),
            data: data.unwrap_or_default(),
        }
    }
}

/// The events of a ticket, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = History)]
pub(crate) struct HistoryView {
    pub(crate) items: Vec<EventView>,
    /// Where the next page begins: send it as `cursor`. Null after the last page.
    pub(crate) next_cursor: Option<String>,
}

impl HistoryView {
    pub(crate) fn example() -> Value {
        json!({"items": [{
            "type": "ticket.agent_assigned", "version": 2, "position": 4711,
            "actor": {"kind": "agent", "id": "ada"}, "cause": {"command_id": EXAMPLE_ID},
            "time": "2026-01-31T09:32:10Z", "data": {"from": null, "to": "ada", "method": "self"},
        }], "next_cursor": null})
    }
}

/// What was written in a ticket, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conversation)]
pub(crate) struct ConversationView {
    pub(crate) items: Vec<MessageView>,
    /// Where the next page begins: send it as `cursor`. Null after the last page.
    pub(crate) next_cursor: Option<String>,
}

/// A message of a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(crate) struct MessageView {
    /// Absent for the opening message, which belongs to the ticket itself.
    #[schema(format = Uuid)]
    message_id: Option<Uuid>,
    /// `opening`, `reply` (public, by an agent), `requester_reply`, or `note` (internal).
    #[schema(example = "reply")]
    kind: &'static str,
    author: Option<ActorView>,
    body: String,
    #[schema(format = DateTime)]
    time: String,
    version: i64,
}

impl MessageView {
    /// The message that an event brought, if it did.
    pub(crate) fn of(entry: &Entry) -> Option<Self> {
        let (kind, id, body) = match &entry.event {
            Event::TicketOpened(opened) => ("opening", None, &opened.body),
            Event::PublicReplyAdded { message_id, body, .. } => ("reply", Some(message_id.0), body),
            Event::RequesterReplied { message_id, body, .. } => ("requester_reply", Some(message_id.0), body),
            Event::InternalNoteAdded { message_id, body } => ("note", Some(message_id.0), body),
            _ => return None,
        };
        Some(Self {
            message_id: id,
            kind,
            author: entry.actor.as_ref().map(|a| ActorView { kind: a.kind.to_string(), id: a.id.clone() }),
            body: body.clone(),
            time: time(entry.occurred_at),
            version: entry.version.0,
        })
    }

    pub(crate) fn example() -> Value {
        json!({"items": [{
            "message_id": EXAMPLE_ID, "kind": "reply", "author": {"kind": "agent", "id": "ada"},
            "body": "We are on our way.", "time": "2026-01-31T09:33:00Z", "version": 4,
        }], "next_cursor": null})
    }
}

pub(crate) fn problem_example(code: Code) -> Value {
    json!({
        "type": format!("https://docket.example/problems/{}", code.as_str()),
        "title": code.title(), "status": code.status().as_u16(), "detail": code.title(),
        "instance": "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11", "error_code": code.as_str(), "details": {},
    })
}

/// Events of the log, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Events)]
pub(crate) struct EventsView {
    pub(crate) items: Vec<CloudEventView>,
    /// The position to go on after, where there may be more.
    pub(crate) next_cursor: Option<String>,
}

impl EventsView {
    pub(crate) fn example() -> Value {
        json!({"items": [crate::routes::events::example()], "next_cursor": "4711"})
    }
}

/// An event of the log as a `CloudEvent` (CloudEvents 1.0, structured mode).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CloudEvent)]
pub(crate) struct CloudEventView {
    #[schema(example = "1.0")]
    specversion: &'static str,
    /// The position, as a text: unique within the source.
    id: String,
    /// The installation: `urn:uuid:` and its id.
    #[schema(format = "uri")]
    source: String,
    #[serde(rename = "type")]
    kind: String,
    /// The ticket's id.
    #[schema(format = Uuid)]
    subject: String,
    /// When it happened.
    #[schema(format = DateTime)]
    time: String,
    datacontenttype: &'static str,
    /// Its place in the log.
    position: i64,
    /// Its place in the ticket.
    streamversion: i64,
    /// The version of the form of `data`.
    schemaversion: i16,
    /// When the log took it.
    #[schema(format = DateTime)]
    recordedtime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    actorkind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    actorid: Option<String>,
    #[schema(format = Uuid)]
    commandid: String,
    /// W3C Trace Context of the request that recorded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    traceparent: Option<String>,
    /// What it says, by its type, in the newest form.
    #[schema(value_type = Object)]
    data: Value,
}

impl CloudEventView {
    /// An event as its reader may see it.
    pub(crate) fn of(source: &str, recorded: &eventstore::RecordedEvent, seen: &Entry) -> Self {
        let data = codec::encode(&seen.event).ok();
        Self {
            specversion: "1.0",
            id: seen.position.to_string(),
            source: source.to_owned(),
            kind: seen.event.event_type().to_owned(),
            subject: recorded.stream_id.to_string(),
            time: time(seen.occurred_at),
            datacontenttype: "application/json",
            position: seen.position.0,
            streamversion: seen.version.0,
            schemaversion: data.as_ref().map_or(recorded.schema_version, |data| data.schema_version),
            recordedtime: time(seen.recorded_at),
            actorkind: seen.actor.as_ref().map(|actor| actor.kind.to_string()),
            actorid: seen.actor.as_ref().map(|actor| actor.id.clone()),
            commandid: seen.command_id.to_string(),
            traceparent: recorded.metadata().ok().and_then(|metadata| metadata.traceparent),
            data: data.and_then(|data| serde_json::from_str(&data.payload).ok()).unwrap_or_default(),
        }
    }
}
