//! How a ticket begins.

use crate::command::Open;
use crate::context::Context;
use crate::event::{Event, TicketOpened};
use crate::rejection::Rejection;
use crate::ticket::Ticket;
use crate::value::{TicketId, TicketNumber};
use shared_kernel::{Actor, ActorKind, Requester};

pub(super) fn open(open: &Open, context: &Context) -> Result<Vec<Event>, Rejection> {
    let requester = match (&open.requester, context.actor.kind()) {
        (Some(requester), _) => Some(requester.clone()),
        (None, ActorKind::Requester) => Some(themselves(&context.actor)?),
        (None, ActorKind::Agent | ActorKind::System) => None,
    };
    Ok(vec![Event::TicketOpened(Box::new(TicketOpened {
        number: open.number,
        requester,
        channel: open.channel.clone(),
        subject: open.subject.clone(),
        body: open.body.clone(),
        priority: open.priority,
        category: open.category.clone(),
        team: open.team.clone(),
        tags: open.tags.clone(),
        source_id: open.source_id.clone(),
        follow_up_of: open.follow_up_of,
    }))])
}

fn themselves(actor: &Actor) -> Result<Requester, Rejection> {
    let unfit = |_| Rejection::UnfitActor { role: actor.role, id: actor.id.clone() };
    Requester::parse(&actor.id, None).map_err(unfit)
}

impl Open {
    /// The opening that answers [`Rejection::FollowUpNeeded`]: the author's words as a new ticket that goes on from the
    /// previous one, in the same queue.
    ///
    /// A follower who writes becomes the new ticket's requester themselves.
    #[must_use]
    pub fn follow_up(
        previous_id: TicketId,
        previous: &Ticket,
        number: TicketNumber,
        author: &Actor,
        body: String,
        source_id: Option<String>,
    ) -> Self {
        let own = |requester: &Requester| requester.is(&author.id);
        Self {
            number,
            subject: previous.subject.clone(),
            body,
            requester: previous.requester.clone().filter(own),
            channel: previous.channel.clone(),
            priority: previous.priority,
            category: previous.category.clone(),
            team: previous.team.clone(),
            tags: previous.tags.clone(),
            source_id,
            follow_up_of: Some(previous_id),
        }
    }
}
