//! Who may see a ticket, and what of it.

use std::borrow::Cow;

use shared_kernel::{Principal, Role};

use crate::ticket::Ticket;

impl Ticket {
    /// Whether the ticket exists for a principal. One without a team is in the queue that every agent looks after.
    pub fn is_visible_to(&self, principal: &Principal) -> bool {
        match principal.role {
            Role::Requester => self.is_requested_by(principal) || self.is_followed_by(principal),
            Role::Agent => {
                self.team.as_ref().is_none_or(|team| principal.teams.contains(team))
                    || self.assignee.is_some_and(|agent| principal.agent() == Some(agent))
                    || self.is_followed_by(principal)
            }
            Role::Lead | Role::Admin | Role::System => true,
        }
    }

    /// The ticket as a principal may see it.
    pub fn seen_by(&self, principal: &Principal) -> Cow<'_, Self> {
        if principal.is_staff() { Cow::Borrowed(self) } else { Cow::Owned(self.public_view()) }
    }
}
