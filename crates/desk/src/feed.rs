//! The log as a caller may see it: staff the events of the tickets that they may see, and of people, agents and settings;
//! admins those of API keys, too; requesters the public events of their own tickets.

use agent_aggregate::Agent;
use eventsourcing::codec;
use eventstore::{RecordedEvent, Version};
use person_aggregate::Person;
use settings_aggregate::{Setting, Team};
use shared_kernel::{Aggregate, DomainEvent, Principal, Role};
use ticket_aggregate::{Ticket, TicketId};

use crate::history::Entry;
use crate::keys::{Key, KeyEvent};
use crate::{Desk, DeskError};

/// An event of whichever kind of record.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyEntry {
    /// Of a ticket.
    Ticket(Box<Entry>),
    /// Of a person.
    Person(Box<Entry<person_aggregate::Event>>),
    /// Of an agent.
    Agent(Box<Entry<agent_aggregate::Event>>),
    /// Of a team.
    Team(Box<Entry<<Setting<Team> as Aggregate>::Event>>),
    /// Of an API key.
    Key(Box<Entry<KeyEvent>>),
}

impl Desk {
    /// An event as the caller may see it, if at all: of a ticket, by the ticket as it is now.
    pub async fn seen(&self, recorded: &RecordedEvent, caller: &Principal) -> Result<Option<AnyEntry>, DeskError> {
        if is_of::<Ticket>(recorded) {
            return self.seen_ticket(recorded, caller).await;
        }
        if !caller.is_staff() {
            return Ok(None);
        }
        let entry = if is_of::<Person>(recorded) {
            read(recorded).map(AnyEntry::Person)
        } else if is_of::<Agent>(recorded) {
            read(recorded).map(AnyEntry::Agent)
        } else if is_of::<Setting<Team>>(recorded) {
            read(recorded).map(AnyEntry::Team)
        } else if is_of::<Key>(recorded) && matches!(caller.role, Role::Admin | Role::System) {
            read(recorded).map(AnyEntry::Key)
        } else {
            return Ok(None);
        };
        readable(entry, recorded)
    }

    async fn seen_ticket(&self, recorded: &RecordedEvent, caller: &Principal) -> Result<Option<AnyEntry>, DeskError> {
        if !caller.sees_all() && !self.may_see(TicketId(recorded.stream_id.0), recorded.version, caller).await? {
            return Ok(None);
        }
        let entry = readable(Entry::read(recorded), recorded)?;
        Ok(entry.and_then(|entry| entry.seen_by(caller)).map(|entry| AnyEntry::Ticket(Box::new(entry))))
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

fn is_of<A: Aggregate>(recorded: &RecordedEvent) -> bool {
    recorded.stream_type == codec::stream_type::<A>()
}

fn read<E: DomainEvent>(recorded: &RecordedEvent) -> Result<Box<Entry<E>>, DeskError> {
    Entry::read(recorded).map(Box::new)
}

/// One event that can't be read must not stop all that follow the log; the audit names it.
fn readable<T>(entry: Result<T, DeskError>, recorded: &RecordedEvent) -> Result<Option<T>, DeskError> {
    match entry {
        Ok(entry) => Ok(Some(entry)),
        Err(error @ DeskError::Corrupt { .. }) => {
            tracing::error!(%error, position = %recorded.position, "an event is passed over: it can't be read");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
