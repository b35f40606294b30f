//! Who acts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize, Serializer};

use crate::{AgentId, PersonId, string_enum};

string_enum! {
    /// What someone may do; ordered from least to most.
    Role("role") {
        /// A person who asks.
        Requester = "requester",
        /// A person who helps.
        Agent = "agent",
        /// An agent who may also assign others and close early.
        Lead = "lead",
        /// A lead who also runs the desk.
        Admin = "admin",
        /// A timer, a policy or an import: whatever an admin may, and waking tickets.
        System = "system",
    }
}

string_enum! {
    /// The kind of actor that an event names as its origin.
    ActorKind("actor kind") {
        /// A person who asks.
        Requester = "requester",
        /// A person who helps, of whatever rank.
        Agent = "agent",
        /// A timer, a policy or an import.
        System = "system",
    }
}

impl Role {
    /// Leads and admins are agents by kind.
    pub const fn kind(self) -> ActorKind {
        match self {
            Self::Requester => ActorKind::Requester,
            Self::Agent | Self::Lead | Self::Admin => ActorKind::Agent,
            Self::System => ActorKind::System,
        }
    }
}

/// Who it is that acts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A person who asks.
    Requester(PersonId),
    /// An agent, and the person that they are.
    Agent {
        /// The agent's own record.
        agent: AgentId,
        /// The person's.
        person: PersonId,
    },
    /// A part of the program: `import`, `timers`.
    System(&'static str),
}

/// Who issues a command. Serialised as an [`ActorRef`], without the role: a rank is a fact of the moment,
/// not of a record's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What they may do.
    pub role: Role,
    /// Who they are.
    pub identity: Identity,
    /// The people who were merged into this one: what was theirs is this one's.
    pub merged: BTreeSet<PersonId>,
    /// The API key whose owner acts for this person, if somebody does.
    pub via: Option<String>,
}

impl Actor {
    fn new(role: Role, identity: Identity) -> Self {
        Self { role, identity, merged: BTreeSet::new(), via: None }
    }

    /// A person who asks.
    pub fn requester(person: PersonId) -> Self {
        Self::new(Role::Requester, Identity::Requester(person))
    }

    /// An agent, a lead or an admin.
    pub fn staff(role: Role, agent: AgentId, person: PersonId) -> Self {
        Self::new(role, Identity::Agent { agent, person })
    }

    /// A part of the program.
    pub fn system(name: &'static str) -> Self {
        Self::new(Role::System, Identity::System(name))
    }

    /// Requester, agent or system.
    pub const fn kind(&self) -> ActorKind {
        self.role.kind()
    }

    /// The person who acts, if it is one.
    pub const fn person(&self) -> Option<PersonId> {
        match self.identity {
            Identity::Requester(person) | Identity::Agent { person, .. } => Some(person),
            Identity::System(_) => None,
        }
    }

    /// The agent who acts, if it is one.
    pub const fn agent(&self) -> Option<AgentId> {
        match self.identity {
            Identity::Agent { agent, .. } => Some(agent),
            Identity::Requester(_) | Identity::System(_) => None,
        }
    }

    /// Whether they are that person, or that person was merged into them.
    pub fn is(&self, person: PersonId) -> bool {
        self.person() == Some(person) || self.merged.contains(&person)
    }

    /// What an event's metadata says of them.
    pub fn to_ref(&self) -> ActorRef {
        let id = match &self.identity {
            Identity::Requester(person) => person.to_string(),
            Identity::Agent { agent, .. } => agent.to_string(),
            Identity::System(name) => (*name).to_owned(),
        };
        ActorRef { kind: self.kind(), id, via: self.via.clone() }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_ref().serialize(serializer)
    }
}

/// Who caused an event, as the log keeps it: `{"kind":"agent","id":"0192…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ActorRef {
    /// Requester, agent or system.
    pub kind: ActorKind,
    /// A requester's person id, an agent's id, the name of a part of the program.
    pub id: String,
    /// The API key whose owner acted for this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
}

impl ActorRef {
    /// Whether the id is of the form that the kind has.
    pub fn is_well_formed(&self) -> bool {
        match self.kind {
            // as it is written, and in no other of the forms that a UUID can have
            ActorKind::Requester | ActorKind::Agent => {
                uuid::Uuid::try_parse(&self.id).is_ok_and(|id| id.to_string() == self.id)
            }
            ActorKind::System => !self.id.is_empty(),
        }
    }

    /// The scope of their idempotency keys: who they are, whichever API key they use.
    pub fn scope(&self) -> String {
        let kind = match self.kind {
            ActorKind::Requester => "person",
            ActorKind::Agent => "agent",
            ActorKind::System => "system",
        };
        format!("{kind}:{}", self.id)
    }
}
