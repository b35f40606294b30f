use shared_kernel::{Aggregate, PersonId, Stamp, TicketId};

use crate::command::Command;
use crate::context::Context;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::ticket::Ticket;
use crate::{decide, evolve, legal};

impl Aggregate for Ticket {
    const TYPE: &'static str = "ticket";
    const STATE_SCHEMA: i16 = 3;

    type Id = TicketId;
    type State = Self;
    type Command = Command;
    type Event = Event;
    type Context = Context;
    type Rejection = Rejection;

    /// The checks come in the order in which HTTP answers them: whether this actor may (403), whether the command itself
    /// is sound (422), whether the ticket's state lets it happen (409).
    fn decide(ticket: Option<&Self>, command: &Command, context: &Context) -> Result<Vec<Event>, Rejection> {
        decide::decide(ticket, command, context)
    }

    fn evolve(ticket: Option<Self>, event: &Event, stamp: &Stamp) -> Option<Self> {
        evolve::evolve(ticket, event, stamp)
    }

    fn check_step(ticket: Option<&Self>, event: &Event) -> Result<(), Box<dyn std::error::Error>> {
        Ok(legal::legal_step(ticket, event)?)
    }

    fn size_of(ticket: &Self) -> usize {
        let names = ticket.source_ids.iter().map(|text| text.len() + 64).sum::<usize>();
        let small = (ticket.tags.len() + ticket.links.len()) * 128;
        let people = ticket.followers.len() * size_of::<PersonId>();
        let texts = [Some(&ticket.subject), Some(&ticket.body), ticket.hold_reason.as_ref()];
        size_of::<Self>() + texts.into_iter().flatten().map(String::len).sum::<usize>() + names + small + people
    }
}
