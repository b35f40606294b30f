//! What of an event a requester may see.

use std::collections::BTreeSet;

use crate::event::{Event, TicketOpened};
use crate::value::Trigger;

impl Event {
    /// The event as the requester may see it; `None` when it is internal.
    ///
    /// This is the one place that draws the line: what a requester reads is folded from these views, so nothing has to be
    /// filtered out later. Without a wildcard arm, so that a new event can't become public by oversight.
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
}
