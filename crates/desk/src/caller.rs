//! Who calls, and what they may see.

use shared_kernel::{Actor, Role, TeamId};
use std::borrow::Cow;
use std::collections::BTreeSet;

use ticket_aggregate::Ticket;

/// Whoever issues a command or a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The scope of their idempotency keys: the API key, the importer, the policy.
    pub scope: String,
    /// What they may do.
    pub role: Role,
    /// A requester's e-mail address, an agent's id.
    pub id: String,
    /// The name to show, if it is not the id.
    pub name: Option<String>,
    /// An agent's teams.
    pub teams: BTreeSet<TeamId>,
}

impl Caller {
    /// As the rules of a ticket know them.
    pub fn actor(&self) -> Actor {
        Actor::new(self.role, &self.id)
    }

    /// Whether they see everything of a ticket that they may see, or its public events only.
    pub fn is_staff(&self) -> bool {
        match self.role {
            Role::Requester => false,
            Role::Agent | Role::Lead | Role::Admin | Role::System => true,
        }
    }

    /// Whether every ticket is there for them.
    pub fn sees_all(&self) -> bool {
        match self.role {
            Role::Requester | Role::Agent => false,
            Role::Lead | Role::Admin | Role::System => true,
        }
    }

    /// The ticket as they may see it.
    pub fn view<'a>(&self, ticket: &'a Ticket) -> Cow<'a, Ticket> {
        if self.is_staff() { Cow::Borrowed(ticket) } else { Cow::Owned(ticket.public_view()) }
    }

    /// Whether the ticket is there for them. One without a team is in the queue that every agent
    /// looks after.
    pub fn may_see(&self, ticket: &Ticket) -> bool {
        match self.role {
            Role::Requester => ticket.is_requested_by(&self.id) || ticket.is_followed_by(&self.id),
            Role::Agent => {
                ticket.team.as_ref().is_none_or(|team| self.teams.contains(team))
                    || ticket.assignee.as_ref().is_some_and(|agent| agent.as_str() == self.id)
                    || ticket.is_followed_by(&self.id)
            }
            Role::Lead | Role::Admin | Role::System => true,
        }
    }
}
