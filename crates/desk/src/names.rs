//! How people and programs name records: by id, by handle, by e-mail address.

use std::fmt;
use std::str::FromStr;

use shared_kernel::{AgentId, EmailAddress, Handle, PersonId, TeamId, ValueError};
use uuid::Uuid;

/// The id or the handle of an agent, a team or another setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name<Id> {
    /// Its id.
    Id(Id),
    /// Its handle.
    Handle(Handle),
}

/// The id or the handle of a team.
pub type TeamName = Name<TeamId>;
/// The id or the handle of an agent.
pub type AgentName = Name<AgentId>;

impl<Id: From<Uuid>> FromStr for Name<Id> {
    type Err = ValueError;

    /// What has the form of a uuid is an id; no handle has it.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        match uuid(text.trim()) {
            Some(id) => Ok(Self::Id(id.into())),
            None => Handle::parse(text).map(Self::Handle),
        }
    }
}

/// A person: one who is known, or an address, which may be a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonName {
    /// Somebody's id.
    Id(PersonId),
    /// Somebody's address, and the name to register them with if it leads to nobody.
    Email(EmailAddress, Option<String>),
}

impl FromStr for PersonName {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match uuid(text.trim()) {
            Some(id) => Ok(Self::Id(PersonId(id))),
            None => EmailAddress::parse(text).map(|address| Self::Email(address, None)),
        }
    }
}

impl<Id: fmt::Display> fmt::Display for Name<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Handle(handle) => handle.fmt(f),
        }
    }
}

impl fmt::Display for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Email(address, _) => address.fmt(f),
        }
    }
}

/// The hyphenated form only (RFC 9562, 4), in either case.
pub(crate) fn uuid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}
