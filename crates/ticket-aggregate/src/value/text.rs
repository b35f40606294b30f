//! Short texts that name something.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ValueError;

/// Trims, then holds a short text to its rules.
pub(crate) fn short(what: &'static str, limit: usize, text: &str) -> Result<String, ValueError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ValueError::Blank { what });
    }
    if text.chars().count() > limit {
        return Err(ValueError::TooLong { what, limit });
    }
    if text.chars().any(char::is_control) {
        return Err(ValueError::ControlCharacter { what });
    }
    Ok(text.to_owned())
}

/// An e-mail address in the one form that identities are compared in: trimmed and lowercased.
///
/// The check is minimal on purpose: only a mail that arrives proves an address. What it must keep out is
/// whatever would make one recipient into two.
pub(crate) fn email(text: &str) -> Result<String, ValueError> {
    // some letters become two in lower case: what counts is the form that is kept, and read again
    let address = short("email", 254, &text.to_lowercase())?;
    let (local, domain) = address.split_once('@').ok_or(ValueError::NotAnAddress)?;
    let foreign = |c: char| c.is_whitespace() || matches!(c, '@' | ',' | ';' | '<' | '>' | '"');
    let valid = !local.is_empty()
        && !domain.is_empty()
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !local.contains(foreign)
        && !domain.contains(foreign);
    if valid { Ok(address) } else { Err(ValueError::NotAnAddress) }
}

macro_rules! short_texts {
    ($($(#[$meta:meta])* $name:ident($what:literal, $limit:literal);)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Trims; refuses blank, more than ", stringify!($limit), " characters, control characters.")]
            pub fn parse(text: &str) -> Result<Self, ValueError> {
                short($what, $limit, text).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = ValueError;

            fn try_from(text: String) -> Result<Self, ValueError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl FromStr for $name {
            type Err = ValueError;

            fn from_str(text: &str) -> Result<Self, ValueError> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

short_texts! {
    /// A team: a queue of tickets with its members.
    TeamId("team", 64);
    /// An agent, as the directory of agents names them.
    AgentId("agent", 64);
    /// A tag on a ticket. Tags differ by case.
    Tag("tag", 100);
    /// The way by which a ticket came: `api`, `email`, `web`, `import`, …
    Channel("channel", 64);
    /// How a ticket was resolved: `solved`, `workaround`, …
    ResolutionCode("resolution code", 100);
}

impl Default for Channel {
    /// `api`.
    fn default() -> Self {
        Self("api".to_owned())
    }
}

/// The code of a resolution that the requester declared; agents can't use it.
const CONFIRMED_BY_REQUESTER: &str = "confirmed_by_requester";

impl ResolutionCode {
    /// The code that a requester's confirmation records.
    pub fn confirmed_by_requester() -> Self {
        Self(CONFIRMED_BY_REQUESTER.to_owned())
    }

    /// Whether the requester, and not an agent, declared the ticket solved.
    pub fn is_confirmed_by_requester(&self) -> bool {
        self.0 == CONFIRMED_BY_REQUESTER
    }
}
