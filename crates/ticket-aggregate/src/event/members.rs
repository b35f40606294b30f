//! What the larger events are made of.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shared_kernel::{IdentityId, PersonId, Personal, TeamId, TicketId};

use crate::value::{Channel, Priority, Tag, TicketNumber};

/// What a ticket started with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketOpened {
    /// The number people know it by.
    pub number: TicketNumber,
    /// Who asks; none when an agent opened it for nobody.
    pub requester: Option<PersonId>,
    /// The way by which it came.
    pub channel: Channel,
    /// The first message.
    pub personal: Personal<Opening>,
    /// How urgent it is.
    pub priority: Priority,
    /// What it belongs to.
    pub category: Option<String>,
    /// Whose queue it is in.
    pub team: Option<TeamId>,
    /// Its tags.
    pub tags: BTreeSet<Tag>,
    /// The id that the request has where it came from.
    pub source_id: Option<String>,
    /// The closed ticket that this one goes on from.
    pub follow_up_of: Option<TicketId>,
}

/// The text of an opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// What the ticket is about.
    pub subject: String,
    /// The first message.
    pub body: String,
}

/// The text of a reply or a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// What was written.
    pub body: String,
}

/// The text of a change of subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectChange {
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
}

/// Whom a public reply goes to, and at which of their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// The person.
    pub person: PersonId,
    /// Their e-mail address, by its number in their stream.
    pub identity: IdentityId,
}
