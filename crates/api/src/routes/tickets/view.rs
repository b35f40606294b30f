//! Tickets and their messages as clients see them. Nothing here depends on the clock: one entity tag means the same bytes for the
//! same caller.

use desk::{Entry, VersionedTicket};
use eventstore::Version;
use serde::Serialize;
use serde_json::{Value, json};
use shared_kernel::Principal;
use ticket_aggregate::{Event, Ticket, TicketId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::vocabulary;
use crate::handles::Handles;
use crate::route::ResourceType;
use crate::routes::history::ActorView;
use crate::schema::{EXAMPLE_AGENT, EXAMPLE_ID, EXAMPLE_PERSON};
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
    /// The team's handle.
    team: Option<String>,
    /// The agent's handle.
    assignee: Option<String>,
    requester: Option<RequesterView>,
    channel: String,
    tags: Vec<String>,
    /// Ids of people.
    #[schema(value_type = Vec<Uuid>)]
    followers: Vec<String>,
    links: Vec<LinkView>,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    #[schema(format = DateTime)]
    resolved_at: Option<String>,
    /// How it was resolved, such as `solved`.
    resolution_code: Option<String>,
    /// The deadline for reopening it.
    #[schema(format = DateTime)]
    reopen_until: Option<String>,
    /// What a ticket on hold waits for. For staff.
    hold_reason: Option<String>,
    /// When a ticket on hold goes on by itself.
    #[schema(format = DateTime)]
    wake_at: Option<String>,
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
    #[schema(format = Uuid)]
    person_id: String,
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
    pub(super) fn of(folded: &VersionedTicket, handles: &Handles, caller: &Principal) -> Self {
        Self::new(folded.id, folded.version, &folded.state.seen_by(caller), handles, caller)
    }

    /// A ticket that is reduced already to what the caller may see.
    pub(super) fn new(id: TicketId, version: Version, ticket: &Ticket, handles: &Handles, caller: &Principal) -> Self {
        Self {
            id: id.to_string(),
            number: ticket.number.get(),
            version: version.0,
            status: ticket.status.to_string(),
            subject: ticket.subject.clone(),
            body: ticket.body.clone(),
            priority: ticket.priority.to_string(),
            category: ticket.category.clone(),
            team: ticket.team.map(|team| handles.team(team)),
            assignee: ticket.assignee.map(|agent| handles.agent(agent)),
            requester: ticket.requester.map(|person| RequesterView { person_id: person.to_string() }),
            channel: ticket.channel.to_string(),
            tags: ticket.tags.iter().map(ToString::to_string).collect(),
            followers: ticket.followers.iter().map(ToString::to_string).collect(),
            links: ticket
                .links
                .iter()
                .map(|link| LinkView { kind: link.kind.to_string(), other: link.other.to_string() })
                .collect(),
            opened_at: rfc3339(ticket.opened_at),
            updated_at: rfc3339(ticket.updated_at),
            resolved_at: ticket.resolved_at.map(rfc3339),
            resolution_code: ticket.resolution_code.as_ref().map(ToString::to_string),
            reopen_until: ticket.reopen_until.map(rfc3339),
            hold_reason: ticket.hold_reason.clone(),
            wake_at: ticket.wake_at.map(rfc3339),
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
            "requester": {"person_id": EXAMPLE_PERSON}, "channel": "api",
            "tags": ["printer"], "followers": [], "links": [],
            "opened_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:32:10Z", "resolved_at": null,
            "resolution_code": null, "reopen_until": null, "hold_reason": null, "wake_at": null, "closed_at": null, "closed_reason": null, "follow_up_of": null,
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
            Event::TicketOpened(opened) => ("opening", None, &opened.personal.text.body),
            Event::PublicReplyAdded { message_id, personal, .. } => ("reply", Some(message_id.0), &personal.text.body),
            Event::RequesterReplied { message_id, personal, .. } => {
                ("requester_reply", Some(message_id.0), &personal.text.body)
            }
            Event::InternalNoteAdded { message_id, personal } => ("note", Some(message_id.0), &personal.text.body),
            _ => return None,
        };
        Some(Self {
            message_id: id,
            kind,
            author: entry.actor.as_ref().map(ActorView::from),
            body: body.clone(),
            time: rfc3339(entry.occurred_at),
            version: entry.version.0,
        })
    }

    pub(super) fn example() -> Value {
        json!({"items": [{
            "message_id": EXAMPLE_ID, "kind": "reply", "author": {"kind": "agent", "id": EXAMPLE_AGENT, "via": null},
            "body": "We are on our way.", "time": "2026-01-31T09:33:00Z", "version": 4,
        }], "next_cursor": null})
    }
}
