//! How a ticket begins.

use crate::command::Open;
use crate::context::Context;
use crate::event::{Event, Opening, TicketOpened};
use crate::ticket::Ticket;
use crate::value::TicketNumber;
use shared_kernel::{Actor, ActorKind, TicketId};

use super::personal;

pub(super) fn open(open: &Open, context: &Context) -> Event {
    let requester = match context.actor.kind() {
        // under whatever earlier id of theirs they ask
        ActorKind::Requester => context.actor.person(),
        ActorKind::Agent | ActorKind::System => open.requester,
    };
    let text = Opening { subject: open.subject.clone(), body: open.body.clone() };
    Event::TicketOpened(Box::new(TicketOpened {
        number: open.number,
        requester,
        channel: open.channel.clone(),
        personal: personal::words(requester, &context.actor, text),
        priority: open.priority,
        category: open.category.clone(),
        team: open.team,
        tags: open.tags.clone(),
        source_id: open.source_id.clone(),
        follow_up_of: open.follow_up_of,
    }))
}

impl Open {
    /// The opening that answers [`FollowUpNeeded`](crate::Rejection::FollowUpNeeded): the author's words as a new ticket
    /// that goes on from the previous one, in the same queue.
    ///
    /// The author is its requester, also if they followed the previous one only.
    #[must_use]
    pub fn follow_up(
        previous_id: TicketId,
        previous: &Ticket,
        number: TicketNumber,
        author: &Actor,
        body: String,
        source_id: Option<String>,
    ) -> Self {
        Self {
            number,
            subject: previous.subject.clone(),
            body,
            requester: author.person(),
            channel: previous.channel.clone(),
            priority: previous.priority,
            category: previous.category.clone(),
            team: previous.team,
            tags: previous.tags.clone(),
            source_id,
            follow_up_of: Some(previous_id),
        }
    }
}
