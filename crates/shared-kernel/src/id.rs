//! Ids that several aggregates use.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::short_text;

/// Declares a newtype over a uuid that names a record or a part of one.
#[macro_export]
macro_rules! uuid_id {
    ($($(#[$meta:meta])* $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                uuid::Uuid::try_parse(text).map(Self)
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

/// How many events a stream has: 1 after the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamVersion(pub i64);

impl fmt::Display for StreamVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

uuid_id! {
    /// A person, by the id of their stream.
    PersonId;
    /// An agent, by the id of their stream.
    AgentId;
    /// A team, by the id of its stream.
    TeamId;
    /// A ticket, by the id of its stream.
    TicketId;
}

impl PersonId {
    /// Nobody: the subject of personal text that belongs to no known person. The nil UUID (RFC 9562, 5.9).
    pub const NOBODY: Self = Self(uuid::Uuid::nil());
}

/// One of a person's identities (an e-mail address, an account), by its number in the person's stream: 1 for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdentityId(pub u32);

impl fmt::Display for IdentityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

short_text! {
    /// The name by which people and programs outside of the log call an agent, a team or another setting: `ada`,
    /// `facilities`. Unique among records of a type, and never changed; events hold ids instead.
    Handle("handle", 64);
}
