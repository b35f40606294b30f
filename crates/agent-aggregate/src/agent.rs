//! An agent: what its events add up to.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared_kernel::{Handle, PersonId, TeamId, TicketId};

use crate::value::{Presence, Skill};

/// The fold of an agent's events. Only [`evolve`](shared_kernel::Aggregate::evolve) makes one.
///
/// Serde is for snapshots and read models. What is not there is left out, and what changes often comes first: a row that is
/// written again then has its end in common with the one before, which PostgreSQL does not log again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// When its last event happened.
    pub updated_at: DateTime<Utc>,
    /// The tickets that take a part of the capacity, and their weights.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub slots: BTreeMap<TicketId, u32>,
    /// Whether they are at work; online at registration.
    pub presence: Presence,
    /// How much weight they can have; unlimited, if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Their teams.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub teams: BTreeSet<TeamId>,
    /// Their skills.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub skills: BTreeSet<Skill>,
    /// The name by which people call them.
    pub handle: Handle,
    /// The person that they are.
    pub person: PersonId,
    /// When they were registered.
    pub registered_at: DateTime<Utc>,
}

impl Agent {
    /// The scope of the alias that a handle is.
    pub const HANDLE_SCOPE: &'static str = "agent-handle";

    /// The weight of all slots together.
    pub fn load(&self) -> u64 {
        self.slots.values().copied().map(u64::from).sum()
    }

    /// Whether a slot of that weight fits into what is left of the capacity.
    pub fn has_room_for(&self, weight: u32) -> bool {
        self.overrun(weight).is_none()
    }

    /// The capacity that a slot of that weight would exceed, if it would.
    pub(crate) fn overrun(&self, weight: u32) -> Option<u32> {
        self.capacity.filter(|capacity| self.load() + u64::from(weight) > u64::from(*capacity))
    }

    /// Whether they can keep a ticket of that team, or of none: they are a member, and not offline.
    pub fn is_available_for(&self, team: Option<TeamId>) -> bool {
        team.is_none_or(|team| self.teams.contains(&team)) && self.presence != Presence::Offline
    }

    /// The aliases that the record must hold, as scope and name.
    pub fn aliases(&self) -> Vec<(&'static str, String)> {
        vec![(Self::HANDLE_SCOPE, self.handle.to_string())]
    }
}
