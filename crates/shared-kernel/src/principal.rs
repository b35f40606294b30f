use std::collections::BTreeSet;

use crate::{Actor, Role, TeamId};

/// Whoever issues a command or a query, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The scope of their idempotency keys: the API key, the importer, the process manager.
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

impl Principal {
    /// As an aggregate's rules know them.
    pub fn actor(&self) -> Actor {
        Actor::new(self.role, &self.id)
    }

    /// Whether they see everything of a record that they may see, or only what is public of it.
    pub fn is_staff(&self) -> bool {
        match self.role {
            Role::Requester => false,
            Role::Agent | Role::Lead | Role::Admin | Role::System => true,
        }
    }

    /// Whether they see every record.
    pub fn sees_all(&self) -> bool {
        match self.role {
            Role::Requester | Role::Agent => false,
            Role::Lead | Role::Admin | Role::System => true,
        }
    }
}
