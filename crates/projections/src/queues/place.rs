//! In which queue a ticket is, and how an event moves it.

use ticket_aggregate::{
    AgentId, Channel, Event, Priority, Status, StreamVersion, TeamId, Ticket, TicketNumber, TicketOpened, evolve,
};

use crate::projection::Fact;

/// Where a ticket is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) team: String,
    pub(crate) status: Status,
    pub(crate) assignee: String,
    pub(crate) priority: Priority,
}

#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) version: StreamVersion,
    /// The version at which it came there.
    pub(super) moved: StreamVersion,
    pub(super) place: Place,
}

impl Known {
    pub(super) fn after(before: Option<&Self>, ticket: &Ticket) -> Self {
        let place = Place::of(ticket);
        let stayed = before.filter(|before| before.place == place);
        Self { version: ticket.version, moved: stayed.map_or(ticket.version, |before| before.moved), place }
    }
}

/// Of a ticket only what decides on its queue: the rest is left blank, and what the events mean for it stays
/// [`evolve`]'s business.
pub(super) fn outline(known: &Known, fact: &Fact) -> Option<Ticket> {
    let opened = TicketOpened {
        number: TicketNumber::try_from(1).ok()?,
        requester: None,
        channel: Channel::default(),
        subject: String::new(),
        body: String::new(),
        priority: known.place.priority,
        category: None,
        team: TeamId::parse(&known.place.team).ok(),
        tags: std::collections::BTreeSet::new(),
        source_id: None,
        follow_up_of: None,
    };
    let mut ticket = evolve(None, &Event::TicketOpened(Box::new(opened)), &fact.stamp())?;
    ticket.status = known.place.status;
    ticket.assignee = AgentId::parse(&known.place.assignee).ok();
    Some(ticket)
}

impl Place {
    pub(crate) fn of(ticket: &Ticket) -> Self {
        Self {
            team: ticket.team.as_ref().map(ToString::to_string).unwrap_or_default(),
            status: ticket.status,
            assignee: ticket.assignee.as_ref().map(ToString::to_string).unwrap_or_default(),
            priority: ticket.priority,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        let (team, agent) = (none(&self.team), none(&self.assignee));
        write!(f, "team {team}, {}, agent {agent}, priority {}", self.status, self.priority)
    }
}
