//! Who acts, and for whom.

use serde::{Deserialize, Serialize, Serializer};

use crate::text::ValueError;
use crate::{email_address, string_enum};

string_enum! {
    /// What someone may do; ordered from least to most.
    Role("role") {
        /// A person who asks; their id is their e-mail address.
        Requester = "requester",
        /// A person who helps.
        Agent = "agent",
        /// An agent who may also assign others and close early.
        Lead = "lead",
        /// A lead who also runs the desk.
        Admin = "admin",
        /// A timer or a policy: whatever an admin may, and waking tickets.
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
        /// A timer or a policy.
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

/// Who issues a command. Serialised as an [`ActorRef`], without the role: a rank is a fact of the moment,
/// not of the ticket's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What they may do.
    pub role: Role,
    /// A requester's id is their e-mail address, an agent's is their [`AgentId`](crate::AgentId).
    pub id: String,
}

impl Actor {
    /// An actor with that role.
    pub fn new(role: Role, id: impl Into<String>) -> Self {
        Self { role, id: id.into() }
    }

    /// Requester, agent or system.
    pub const fn kind(&self) -> ActorKind {
        self.role.kind()
    }

    /// What an event's metadata says of them.
    pub fn to_ref(&self) -> ActorRef {
        ActorRef { kind: self.kind(), id: self.id.clone() }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_ref().serialize(serializer)
    }
}

/// Who caused an event, as the log keeps it: `{"kind":"agent","id":"ada"}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ActorRef {
    /// Requester, agent or system.
    pub kind: ActorKind,
    /// Their id among their kind.
    pub id: String,
}

/// The person who asks; who they are is their e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Requester {
    email: String,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    email: String,
    name: Option<String>,
}

impl TryFrom<Unchecked> for Requester {
    type Error = ValueError;

    fn try_from(raw: Unchecked) -> Result<Self, ValueError> {
        Self::parse(&raw.email, raw.name.as_deref())
    }
}

impl Requester {
    /// Lowercases and minimally checks the address (at most 254 characters); a blank name counts as none.
    pub fn parse(address: &str, name: Option<&str>) -> Result<Self, ValueError> {
        let name = match name.map(str::trim) {
            None | Some("") => None,
            Some(name) if name.chars().count() > 200 => {
                return Err(ValueError::TooLong { what: "name", limit: 200 });
            }
            // a line break in a name would end up in a mail's header
            Some(name) if name.chars().any(crate::text::is_unsafe_in_line) => {
                return Err(ValueError::ControlCharacter { what: "name" });
            }
            Some(name) => Some(name.to_owned()),
        };
        Ok(Self { email: email_address(address)?, name })
    }

    /// The lowercased address.
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The name to show, if they gave one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether that address is theirs, however it is written.
    pub fn is(&self, address: &str) -> bool {
        self.email == address.trim().to_lowercase()
    }
}
