//! The log as a caller may see it: staff the events of the tickets that they may see, requesters the
//! public events of their own.

use eventsourcing::codec;
use eventstore::{RecordedEvent, Version};
use ticket_aggregate::{Ticket, TicketId};

use crate::history::Entry;
use crate::{Desk, DeskError};
use shared_kernel::Principal;

impl Desk {
    /// An event as the caller may see it, if at all: by the ticket as it is now.
    pub async fn seen(&self, recorded: &RecordedEvent, caller: &Principal) -> Result<Option<Entry>, DeskError> {
        // nobody is shown other records here yet
        if recorded.stream_type != codec::stream_type::<Ticket>() {
            return Ok(None);
        }
        if !caller.sees_all() && !self.may_see(TicketId(recorded.stream_id.0), recorded.version, caller).await? {
            return Ok(None);
        }
        match Entry::read(recorded) {
            Ok(entry) => Ok(entry.seen_by(caller)),
            // one event that can't be read must not stop all that follow the log; the audit names it
            Err(error @ DeskError::Corrupt { .. }) => {
                tracing::error!(%error, position = %recorded.position, "an event is passed over: it can't be read");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What is kept in memory will do where it knows the event already: then it costs no look-up.
    async fn may_see(&self, ticket: TicketId, version: Version, caller: &Principal) -> Result<bool, DeskError> {
        let known = match self.tickets.cached(ticket).filter(|known| known.version >= version) {
            Some(known) => Some(known),
            None => self.tickets.current(ticket).await?,
        };
        Ok(known.is_some_and(|known| known.state.is_visible_to(caller)))
    }
}
