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
            // who follows is not the requester's to know
            Self::PublicReplyAdded { message_id, personal, .. } => Some(Self::PublicReplyAdded {
                message_id: *message_id,
                personal: personal.clone(),
                recipients: Vec::new(),
                source_id: None,
            }),
            Self::RequesterReplied { message_id, personal, .. } => {
                Some(Self::RequesterReplied { message_id: *message_id, personal: personal.clone(), source_id: None })
            }
            Self::AgentUnassigned { from, .. } => Some(Self::AgentUnassigned { from: *from, reason: None }),
            // who asked before is not the new requester's to know
            Self::RequesterChanged { to, .. } => Some(Self::RequesterChanged { from: None, to: *to, reason: None }),
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

impl Ticket {
    /// The ticket as the requester may see it: what the public views of its events add up to.
    ///
    /// Every field is named, so that a new one can't become public by oversight; that it is the same as the fold of the
    /// views is held by the properties of histories.
    #[must_use]
    pub fn public_view(&self) -> Self {
        let mut seen = self.clone();
        let Self {
            version,
            updated_at,
            public_version,
            public_updated_at,
            category,
            team,
            tags,
            followers,
            links,
            source_ids,
            hold_reason,
            // and what is shown as it is
            status: _,
            assignee: _,
            agent_replied_publicly: _,
            agent_replied_since_requester: _,
            resolved_at: _,
            resolution_code: _,
            confirmed_by_requester: _,
            reopen_until: _,
            reopen_count: _,
            wake_at: _,
            timer_set_by: _,
            closed_at: _,
            closed_reason: _,
            priority: _,
            number: _,
            opened_at: _,
            channel: _,
            requester: _,
            follow_up_of: _,
            subject: _,
            body: _,
        } = &mut seen;
        (*version, *updated_at) = (*public_version, *public_updated_at);
        (*category, *team, *hold_reason) = (None, None, None);
        (*tags, *followers, *links, *source_ids) = Default::default();
        seen
    }
}
