//! A person: what their events add up to.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared_kernel::{EmailAddress, IdentityId, PersonId, StreamVersion};

use crate::value::{IdentityValue, PersonName};

/// The fold of a person's events. Only [`evolve`](shared_kernel::Aggregate::evolve) makes one. Serde is for snapshots and
/// read models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// How many events their stream has, up to the last that was folded.
    pub version: StreamVersion,
    /// When its last event happened.
    pub updated_at: DateTime<Utc>,
    /// The person's own id.
    pub id: PersonId,
    /// When they were registered.
    pub registered_at: DateTime<Utc>,
    /// What they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<PersonName>,
    /// By what they are known. A merged person keeps theirs: they lead to the person, and on to whom they were merged
    /// into.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identities: BTreeMap<IdentityId, IdentityValue>,
    /// The highest number that an identity has had, those that were removed included; 0 before the first.
    pub last_identity: IdentityId,
    /// The person they turned out to be. Their record is read-only from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<PersonId>,
    /// The people who were merged into this one, directly or through others.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub merged: BTreeSet<PersonId>,
    /// Whether they are blocked.
    pub blocked: bool,
}

impl Person {
    /// The address that mail to them goes to: of their addresses the one with the lowest number.
    pub fn primary_email(&self) -> Option<(IdentityId, &EmailAddress)> {
        self.identities.iter().find_map(|(identity, value)| match value {
            IdentityValue::Email(address) => Some((*identity, address)),
            IdentityValue::Oidc(_) | IdentityValue::External(_) => None,
        })
    }

    /// The number that an identity of theirs has.
    pub fn identity(&self, value: &IdentityValue) -> Option<IdentityId> {
        self.identities.iter().find_map(|(identity, known)| (known == value).then_some(*identity))
    }

    /// Scope and name of every alias of the log that they hold, in the order of their identities.
    pub fn aliases(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        self.identities.values().map(IdentityValue::alias)
    }
}
