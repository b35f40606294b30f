//! What can have happened to a ticket.

mod members;

use shared_kernel::{AgentId, PersonId, Personal, TeamId, TicketId};
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::value::{AssignmentMethod, ClosedReason, LinkKind, MessageId, Priority, ResolutionCode, Tag, Trigger};

pub use members::{Message, Opening, Recipient, SubjectChange, TicketOpened};

/// A fact. Who caused it, when and why stand in the log's metadata, not here.
///
/// The serde form is the codec's raw material, `{"ticket.closed": {…}}`; what is stored is
/// [`shared_kernel::codec`]'s business. A change of a stored shape needs a new schema version and an upcast in `codec.rs`.
///
/// People are named by their ids alone; what they wrote stands in `personal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Event {
    /// The ticket came to be.
    #[serde(rename = "ticket.opened")]
    TicketOpened(Box<TicketOpened>),
    /// An agent, or a policy, wrote to the requester.
    #[serde(rename = "ticket.public_reply_added")]
    PublicReplyAdded {
        /// The message.
        message_id: MessageId,
        /// What was written.
        personal: Personal<Message>,
        /// Whom it goes to, frozen now: who follows later must not get it, nor who was corrected away.
        recipients: Vec<Recipient>,
        /// The id that the message has where it came from.
        source_id: Option<String>,
    },
    /// The requester, or a follower, wrote.
    #[serde(rename = "ticket.requester_replied")]
    RequesterReplied {
        /// The message.
        message_id: MessageId,
        /// What was written.
        personal: Personal<Message>,
        /// The id that the message has where it came from.
        source_id: Option<String>,
    },
    /// An agent wrote for agents.
    #[serde(rename = "ticket.internal_note_added")]
    InternalNoteAdded {
        /// The message.
        message_id: MessageId,
        /// What was written.
        personal: Personal<Message>,
    },
    /// An agent got the ticket. A new ticket is open from then on.
    #[serde(rename = "ticket.agent_assigned")]
    AgentAssigned {
        /// Who had it.
        from: Option<AgentId>,
        /// Who has it.
        to: AgentId,
        /// How it came about.
        method: AssignmentMethod,
    },
    /// The agent lost the ticket.
    #[serde(rename = "ticket.agent_unassigned")]
    AgentUnassigned {
        /// Who had it.
        from: AgentId,
        /// `routed` when it went to another team; `unavailable` when it went on while its agent was not there.
        reason: Option<String>,
    },
    /// The ticket went into a team's queue.
    #[serde(rename = "ticket.team_assigned")]
    TeamAssigned {
        /// Whose queue it was in.
        from: Option<TeamId>,
        /// Whose queue it is in.
        to: TeamId,
    },
    /// The priority changed.
    #[serde(rename = "ticket.priority_changed")]
    PriorityChanged {
        /// Before.
        from: Priority,
        /// After.
        to: Priority,
        /// Why, for agents.
        reason: Option<String>,
    },
    /// The category changed.
    #[serde(rename = "ticket.category_changed")]
    CategoryChanged {
        /// Before.
        from: Option<String>,
        /// After.
        to: String,
    },
    /// Tags that were not there are.
    #[serde(rename = "ticket.tags_added")]
    TagsAdded {
        /// Only the new ones.
        tags: BTreeSet<Tag>,
    },
    /// Tags that were there are no more.
    #[serde(rename = "ticket.tags_removed")]
    TagsRemoved {
        /// Only those that were there.
        tags: BTreeSet<Tag>,
    },
    /// The subject changed.
    #[serde(rename = "ticket.subject_changed")]
    SubjectChanged {
        /// Before and after.
        personal: Personal<SubjectChange>,
    },
    /// Another person is the one who asks.
    #[serde(rename = "ticket.requester_changed")]
    RequesterChanged {
        /// Who it was; never there in a public view.
        from: Option<PersonId>,
        /// Who it is.
        to: PersonId,
        /// Why, for agents.
        reason: Option<String>,
    },
    /// An agent took up work on a new ticket.
    #[serde(rename = "ticket.work_started")]
    WorkStarted {},
    /// The ticket waits for the requester.
    #[serde(rename = "ticket.pended")]
    TicketPended {},
    /// The ticket waits for something else.
    #[serde(rename = "ticket.put_on_hold")]
    TicketPutOnHold {
        /// What for; always there but in a public view.
        reason: Option<String>,
        /// When it goes on by itself.
        wake_at: Option<DateTime<Utc>>,
    },
    /// The ticket waits no more.
    #[serde(rename = "ticket.resumed")]
    TicketResumed {
        /// What set it going.
        trigger: Trigger,
    },
    /// The ticket is solved.
    #[serde(rename = "ticket.resolved")]
    TicketResolved {
        /// How.
        code: ResolutionCode,
        /// Until when it can be reopened, pinned now: a later change of the window does not move it.
        reopen_until: DateTime<Utc>,
    },
    /// It was not.
    #[serde(rename = "ticket.reopened")]
    TicketReopened {
        /// Why.
        reason: Option<String>,
        /// How often the ticket has been reopened, this time included.
        count: u32,
        /// What set it going.
        trigger: Trigger,
    },
    /// The end.
    #[serde(rename = "ticket.closed")]
    TicketClosed {
        /// Why.
        reason: ClosedReason,
    },
    /// Another ticket was linked.
    #[serde(rename = "ticket.linked")]
    TicketLinked {
        /// What the other is to this one.
        kind: LinkKind,
        /// The other.
        other: TicketId,
    },
    /// A link was removed.
    #[serde(rename = "ticket.unlinked")]
    TicketUnlinked {
        /// What the other was to this one.
        kind: LinkKind,
        /// The other.
        other: TicketId,
    },
    /// Someone follows.
    #[serde(rename = "ticket.follower_added")]
    FollowerAdded {
        /// Who.
        follower: PersonId,
    },
    /// Someone follows no more.
    #[serde(rename = "ticket.follower_removed")]
    FollowerRemoved {
        /// Who.
        follower: PersonId,
    },
}

impl Event {
    /// The name on the wire; frozen.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::TicketOpened(_) => "ticket.opened",
            Self::PublicReplyAdded { .. } => "ticket.public_reply_added",
            Self::RequesterReplied { .. } => "ticket.requester_replied",
            Self::InternalNoteAdded { .. } => "ticket.internal_note_added",
            Self::AgentAssigned { .. } => "ticket.agent_assigned",
            Self::AgentUnassigned { .. } => "ticket.agent_unassigned",
            Self::TeamAssigned { .. } => "ticket.team_assigned",
            Self::PriorityChanged { .. } => "ticket.priority_changed",
            Self::CategoryChanged { .. } => "ticket.category_changed",
            Self::TagsAdded { .. } => "ticket.tags_added",
            Self::TagsRemoved { .. } => "ticket.tags_removed",
            Self::SubjectChanged { .. } => "ticket.subject_changed",
            Self::RequesterChanged { .. } => "ticket.requester_changed",
            Self::WorkStarted {} => "ticket.work_started",
            Self::TicketPended {} => "ticket.pended",
            Self::TicketPutOnHold { .. } => "ticket.put_on_hold",
            Self::TicketResumed { .. } => "ticket.resumed",
            Self::TicketResolved { .. } => "ticket.resolved",
            Self::TicketReopened { .. } => "ticket.reopened",
            Self::TicketClosed { .. } => "ticket.closed",
            Self::TicketLinked { .. } => "ticket.linked",
            Self::TicketUnlinked { .. } => "ticket.unlinked",
            Self::FollowerAdded { .. } => "ticket.follower_added",
            Self::FollowerRemoved { .. } => "ticket.follower_removed",
        }
    }
}
