use std::collections::BTreeSet;
use std::ops::Deref;

use crate::{Actor, Role, TeamId};

/// Whoever issues a command or a query, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// As an aggregate's rules know them.
    pub actor: Actor,
    /// The name to show.
    pub name: Option<String>,
    /// An agent's teams.
    pub teams: BTreeSet<TeamId>,
    /// The id of the API key that they called with.
    pub key: Option<String>,
    /// Whether they may act for any person who asks.
    pub acts_for_others: bool,
}

impl Deref for Principal {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.actor
    }
}

impl Principal {
    /// One without teams, a name to show or a key.
    pub fn new(actor: Actor) -> Self {
        Self { actor, name: None, teams: BTreeSet::new(), key: None, acts_for_others: false }
    }

    /// The scope of their idempotency keys: who they are, whichever API key they use. A rotation in the middle of a
    /// retry doubles nothing.
    pub fn scope(&self) -> String {
        self.actor.to_ref().scope()
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
