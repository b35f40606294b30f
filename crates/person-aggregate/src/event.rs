//! What can have happened to a person's record.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shared_kernel::{IdentityId, PersonId, Personal};

use crate::codec::StoredIdentity;
use crate::value::{IdentityValue, PersonName};

/// A fact. Who caused it, when and why stand in the log's metadata, not here.
///
/// The serde form is the codec's raw material, `{"person.merged": {…}}`. A change of a stored shape needs a new schema
/// version and an upcast in `codec.rs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Event {
    /// The person is known.
    #[serde(rename = "person.registered")]
    PersonRegistered {
        /// What they are called.
        personal: Personal<RegisteredName>,
    },
    /// They are known by one more identity.
    #[serde(rename = "person.identity_added")]
    IdentityAdded(IdentityAdded),
    /// They are known by it no more.
    #[serde(rename = "person.identity_removed")]
    IdentityRemoved {
        /// Its number, which is not used again.
        identity: IdentityId,
    },
    /// What they are called changed.
    #[serde(rename = "person.renamed")]
    PersonRenamed {
        /// Both names.
        personal: Personal<NameChange>,
    },
    /// They are another person, whose record goes on. Nothing follows in this one.
    #[serde(rename = "person.merged")]
    PersonMerged {
        /// The other.
        into: PersonId,
    },
    /// Another person is this one.
    #[serde(rename = "person.merge_received")]
    MergeReceived {
        /// The other.
        source: PersonId,
        /// The people who were merged into the other before.
        includes: BTreeSet<PersonId>,
    },
    /// They are blocked.
    #[serde(rename = "person.blocked")]
    PersonBlocked {
        /// Why.
        reason: String,
    },
    /// They are blocked no more.
    #[serde(rename = "person.unblocked")]
    PersonUnblocked {},
}

/// An identity and its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredIdentity", into = "StoredIdentity")]
pub struct IdentityAdded {
    /// Its number: one more than the last that was given.
    pub identity: IdentityId,
    /// Its kind, outside of what is personal, and its value.
    pub personal: Personal<IdentityValue>,
}

/// What a registered person is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisteredName {
    /// None if nobody said.
    pub name: Option<PersonName>,
}

/// What a person was called and is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameChange {
    /// Before.
    pub from: Option<PersonName>,
    /// After.
    pub to: Option<PersonName>,
}

impl Event {
    /// The name on the wire; frozen.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::PersonRegistered { .. } => "person.registered",
            Self::IdentityAdded(_) => "person.identity_added",
            Self::IdentityRemoved { .. } => "person.identity_removed",
            Self::PersonRenamed { .. } => "person.renamed",
            Self::PersonMerged { .. } => "person.merged",
            Self::MergeReceived { .. } => "person.merge_received",
            Self::PersonBlocked { .. } => "person.blocked",
            Self::PersonUnblocked {} => "person.unblocked",
        }
    }
}
