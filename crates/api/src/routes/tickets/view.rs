//! Tickets and their events as clients see them. Nothing here depends on the clock: one entity tag means the same bytes for the
//! same caller.

use desk::{Entry, VersionedTicket};
use eventstore::Version;
use serde::Serialize;
use serde_json::{Value, json};
use shared_kernel::Principal;
use shared_kernel::{DomainEvent, codec};
use ticket_aggregate::{Event, Ticket, TicketId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::vocabulary;
use crate::route::ResourceType;
use crate::schema::EXAMPLE_ID;
use crate::time::rfc3339;

pub(crate) const TICKET: ResourceType = ResourceType { name: "ticket", schema: "Ticket" };

/// A ticket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ticket)]
pub(super) struct TicketView {
    #[schema(format = Uuid)]
    id: String,
    /// The number that people say: #1042.
    number: i64,
    /// The version of its stream; the entity tag.
    version: i64,
    #[schema(value_type = vocabulary::TicketStatus)]
    status: String,
    subject: String,
    body: String,
    #[schema(value_type = vocabulary::Priority)]
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
    /// The deadline for reopening it.
    #[schema(format = DateTime)]
    reopen_until: Option<String>,
    #[schema(format = DateTime)]
    closed_at: Option<String>,
    closed_reason: Option<String>,
    /// The closed ticket that this one continues.
    #[schema(format = Uuid)]
    follow_up_of: Option<String>,
    /// The commands that its state and your role allow. A rule may still refuse one.
    allowed_commands: Vec<String>,
}

/// The person who asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Requester)]
pub(super) struct RequesterView {
    email: String,
    name: Option<String>,
}

/// What another ticket is to this one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TicketLink)]
pub(super) struct LinkView {
    #[schema(value_type = vocabulary::LinkKind)]
    kind: String,
    #[schema(format = Uuid)]
    other: String,
}

impl TicketView {
    /// The ticket as the caller may see it.
    pub(super) fn of(folded: &VersionedTicket, caller: &Principal) -> Self {
        Self::new(folded.id, folded.version, &folded.state.seen_by(caller), caller)
    }

    /// A ticket that is reduced already to what the caller may see.
    pub(super) fn new(id: TicketId, version: Version, ticket: &Ticket, caller: &Principal) -> Self {
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
            opened_at: rfc3339(ticket.opened_at),
            updated_at: rfc3339(ticket.updated_at),
            resolved_at: ticket.resolved_at.map(rfc3339),
            reopen_until: ticket.reopen_until.map(rfc3339),
            closed_at: ticket.closed_at.map(rfc3339),
            closed_reason: ticket.closed_reason.map(|reason| reason.to_string()),
            follow_up_of: ticket.follow_up_of.map(|id| id.to_string()),
            allowed_commands: ticket.allowed_commands(caller.role).iter().map(ToString::to_string).collect(),
        }
    }

    pub(super) fn example() -> Value {
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

/// A page of tickets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TicketList)]
pub(super) struct TicketListView {
    pub(super) items: Vec<TicketView>,
    /// The start of the next page: send it as `cursor`, with the same filters. Null on the last page.
    pub(super) next_cursor: Option<String>,
}

impl TicketListView {
    pub(super) fn example() -> Value {
        json!({"items": [TicketView::example()], "next_cursor": null})
    }
}

/// An event of a ticket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(super) struct EventView {
    /// Such as `ticket.resolved`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The position in the ticket's stream.
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
    id: String,
}

impl From<&Entry> for EventView {
    fn from(entry: &Entry) -> Self {
        let encoded = codec::encode(&entry.event).expect("an event that was decoded can be encoded");
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
            time: rfc3339(entry.occurred_at),
            data: serde_json::from_str(&encoded.payload).expect("the codec writes JSON"),
        }
    }
}

/// A page of the events of a ticket, in order.
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
            "actor": {"kind": "agent", "id": "ada"}, "cause": {"command_id": EXAMPLE_ID},
            "time": "2026-01-31T09:32:10Z", "data": {"from": null, "to": "ada", "method": "self"},
        }], "next_cursor": null})
    }
}

/// A page of the messages of a ticket, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conversation)]
pub(super) struct ConversationView {
    pub(super) items: Vec<MessageView>,
    /// The start of the next page: send it as `cursor`. Null on the last page.
    pub(super) next_cursor: Option<String>,
}

/// A message of a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(super) struct MessageView {
    /// Null for the opening message, which belongs to the ticket itself.
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
    /// The message of an event that has one.
    pub(super) fn of(entry: &Entry) -> Option<Self> {
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
            time: rfc3339(entry.occurred_at),
            version: entry.version.0,
        })
    }

    pub(super) fn example() -> Value {
        json!({"items": [{
            "message_id": EXAMPLE_ID, "kind": "reply", "author": {"kind": "agent", "id": "ada"},
            "body": "We are on our way.", "time": "2026-01-31T09:33:00Z", "version": 4,
        }], "next_cursor": null})
    }
}
