//! What a requester may see: of an event, and of the ticket that events add up to.

use std::collections::BTreeSet;

use crate::event::{Event, TicketOpened};
use crate::ticket::Ticket;
use crate::value::Trigger;

impl Event {
    /// The event as the requester may see it; `None` when it is internal.
    ///
    /// Without a wildcard arm, so that a new event can't become public by oversight.
    pub fn public_view(&self) -> Option<Self> {
        match self {
            Self::TicketOpened(opened) => Some(Self::TicketOpened(Box::new(TicketOpened {
                category: None,
                team: None,
                tags: BTreeSet::new(),
                source_id: None,
                ..(**opened).clone()
            }))),
            // the followers' addresses are not the requester's to know
            Self::PublicReplyAdded { message_id, body, .. } => Some(Self::PublicReplyAdded {
                message_id: *message_id,
                body: body.clone(),
                recipients: Vec::new(),
                source_id: None,
            }),
            Self::RequesterReplied { message_id, body, .. } => {
                Some(Self::RequesterReplied { message_id: *message_id, body: body.clone(), source_id: None })
            }
            Self::AgentUnassigned { from, .. } => Some(Self::AgentUnassigned { from: from.clone(), reason: None }),
            Self::PriorityChanged { from, to, .. } => {
                Some(Self::PriorityChanged { from: *from, to: *to, reason: None })
            }
            Self::TicketPutOnHold { wake_at, .. } => Some(Self::TicketPutOnHold { reason: None, wake_at: *wake_at }),
            Self::TicketReopened { reason, count, trigger } => Some(Self::TicketReopened {
                // their own words they may read again; an agent's or a policy's reason is internal
                reason: reason.clone().filter(|_| *trigger == Trigger::Requester),
                count: *count,
                trigger: *trigger,
            }),
            Self::AgentAssigned { .. }
            | Self::SubjectChanged { .. }
            | Self::WorkStarted {}
            | Self::TicketPended {}
            | Self::TicketResumed { .. }
            | Self::TicketResolved { .. }
            | Self::TicketClosed { .. } => Some(self.clone()),
            Self::InternalNoteAdded { .. }
            | Self::TeamAssigned { .. }
            | Self::CategoryChanged { .. }
            | Self::TagsAdded { .. }
            | Self::TagsRemoved { .. }
            | Self::TicketLinked { .. }
            | Self::TicketUnlinked { .. }
            | Self::FollowerAdded { .. }
            | Self::FollowerRemoved { .. } => None,
        }
    }

    /// Whether the requester may see that it happened.
    pub(crate) fn is_public(&self) -> bool {
        match self {
            Self::TicketOpened(_)
            | Self::PublicReplyAdded { .. }
            | Self::RequesterReplied { .. }
            | Self::AgentAssigned { .. }
            | Self::AgentUnassigned { .. }
            | Self::PriorityChanged { .. }
            | Self::SubjectChanged { .. }
            | Self::WorkStarted {}
            | Self::TicketPended {}
            | Self::TicketPutOnHold { .. }
            | Self::TicketResumed { .. }
            | Self::TicketResolved { .. }
            | Self::TicketReopened { .. }
            | Self::TicketClosed { .. } => true,
            Self::InternalNoteAdded { .. }
            | Self::TeamAssigned { .. }
            | Self::CategoryChanged { .. }
            | Self::TagsAdded { .. }
            | Self::TagsRemoved { .. }
            | Self::TicketLinked { .. }
            | Self::TicketUnlinked { .. }
            | Self::FollowerAdded { .. }
            | Self::FollowerRemoved { .. } => false,
        }
    }
}

impl Ticket {
    /// The ticket as the requester may see it: what the public views of its events add up to.
    ///
    /// Every field is named, so that a new one can't become public by oversight; that it is the same as the fold of the
    /// views is held by the properties of histories.
    #[must_use]
    pub fn public_view(&self) -> Self {
        let Self {
            version: _,
            updated_at: _,
            public_version,
            public_updated_at,
            status,
            assignee,
            agent_replied_publicly,
            agent_replied_since_requester,
            resolved_at,
            resolution_code,
            confirmed_by_requester,
            reopen_until,
            reopen_count,
            wake_at,
            closed_at,
            closed_reason,
            priority,
            category: _,
            team: _,
            tags: _,
            followers: _,
            links: _,
            source_ids: _,
            number,
            opened_at,
            channel,
            requester,
            follow_up_of,
            subject,
            body,
        } = self.clone();
        Self {
            version: public_version,
            updated_at: public_updated_at,
            public_version,
            public_updated_at,
            status,
            assignee,
            agent_replied_publicly,
            agent_replied_since_requester,
            resolved_at,
            resolution_code,
            confirmed_by_requester,
            reopen_until,
            reopen_count,
            wake_at,
            closed_at,
            closed_reason,
            priority,
            category: None,
            team: None,
            tags: BTreeSet::new(),
            followers: BTreeSet::new(),
            links: BTreeSet::new(),
            source_ids: BTreeSet::new(),
            number,
            opened_at,
            channel,
            requester,
            follow_up_of,
            subject,
            body,
        }
    }
}
