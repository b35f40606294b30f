//! The queue that a ticket is in, and how an event moves it.

use eventstore::StreamId;
use shared_kernel::{AgentId, Aggregate, Personal, StreamVersion, TeamId};
use ticket_aggregate::{Channel, Event, Opening, Priority, Status, Ticket, TicketNumber, TicketOpened};
use uuid::Uuid;

use super::columns::{QueueRow, QueuedTicket};
use crate::fold;
use crate::read_model::DecodedEvent;

/// What tickets are grouped by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupKey {
    pub(super) team: Option<TeamId>,
    pub(super) status: Status,
    pub(super) assignee: Option<AgentId>,
    pub(super) priority: Priority,
}

#[derive(Clone, Debug)]
pub(super) struct GroupedTicket {
    pub(super) version: StreamVersion,
    /// The version at which it came to its queue.
    pub(super) since: StreamVersion,
    pub(super) key: GroupKey,
}

impl GroupedTicket {
    pub(super) fn after(before: Option<&Self>, ticket: &Ticket) -> Self {
        let key = GroupKey::of(ticket);
        let stayed = before.filter(|before| before.key == key);
        Self { version: ticket.version, since: stayed.map_or(ticket.version, |before| before.since), key }
    }
}

/// A ticket with blanks for everything that its queue does not depend on, so that [`evolve`] alone decides what an event
/// means.
pub(super) fn outline(known: &GroupedTicket, event: &DecodedEvent) -> Option<Ticket> {
    let opened = TicketOpened {
        number: TicketNumber::try_from(1).ok()?,
        requester: None,
        channel: Channel::default(),
        personal: Personal::new(None, Opening { subject: String::new(), body: String::new() }),
        priority: known.key.priority,
        category: None,
        team: known.key.team,
        tags: std::collections::BTreeSet::new(),
        source_id: None,
        follow_up_of: None,
    };
    let mut ticket = Ticket::evolve(None, &Event::TicketOpened(Box::new(opened)), &fold::stamp(event))?;
    ticket.status = known.key.status;
    ticket.assignee = known.key.assignee;
    Some(ticket)
}

impl GroupKey {
    pub(super) fn of(ticket: &Ticket) -> Self {
        Self { team: ticket.team, status: ticket.status, assignee: ticket.assignee, priority: ticket.priority }
    }

    /// The error says what can't be read.
    pub(super) fn read(
        team: Option<Uuid>,
        status: &str,
        assignee: Option<Uuid>,
        priority: &str,
    ) -> Result<Self, String> {
        let (Ok(status), Ok(priority)) = (status.parse(), priority.parse()) else {
            return Err(format!("the queue of team {team:?}, status {status:?}, priority {priority:?}"));
        };
        Ok(Self { team: team.map(TeamId), status, assignee: assignee.map(AgentId), priority })
    }
}

impl QueueRow {
    pub(super) fn of(key: &GroupKey, count: i64) -> Self {
        Self {
            team: key.team.map(Uuid::from),
            status: key.status.as_str().to_owned(),
            assignee: key.assignee.map(Uuid::from),
            priority: key.priority.as_str().to_owned(),
            count,
        }
    }

    pub(super) fn key(&self) -> Result<GroupKey, String> {
        GroupKey::read(self.team, &self.status, self.assignee, &self.priority)
    }
}

impl QueuedTicket {
    pub(super) fn of(stream: StreamId, ticket: &GroupedTicket) -> Self {
        let key = &ticket.key;
        Self {
            ticket_id: stream.0,
            version: ticket.since.0,
            team: key.team.map(Uuid::from),
            status: key.status.as_str().to_owned(),
            assignee: key.assignee.map(Uuid::from),
            priority: key.priority.as_str().to_owned(),
        }
    }

    pub(super) fn read(&self) -> Result<GroupedTicket, String> {
        let key = GroupKey::read(self.team, &self.status, self.assignee, &self.priority)?;
        let version = StreamVersion(self.version);
        Ok(GroupedTicket { version, since: version, key })
    }
}

impl std::fmt::Display for GroupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |id: Option<Uuid>| id.map_or_else(|| "none".to_owned(), |id| id.to_string());
        let (team, agent) = (text(self.team.map(Uuid::from)), text(self.assignee.map(Uuid::from)));
        write!(f, "team {team}, {}, agent {agent}, priority {}", self.status, self.priority)
    }
}
