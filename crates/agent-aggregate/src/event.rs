//! What can have happened to an agent.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shared_kernel::{Handle, PersonId, TeamId, TicketId};

use crate::value::{Override, Presence, Skill};

/// A fact. Who caused it, when and why stand in the log's metadata, not here.
///
/// The serde form is the codec's raw material, `{"agent.joined_team": {…}}`; what is stored is
/// [`shared_kernel::codec`]'s business. A change of a stored shape needs a new schema version and an upcast in `codec.rs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Event {
    /// The agent was registered, and is online.
    #[serde(rename = "agent.registered")]
    AgentRegistered {
        /// The name by which people call them; never changes.
        handle: Handle,
        /// The person that they are.
        person: PersonId,
        /// How much weight they can have; unlimited, if none.
        capacity: Option<u32>,
    },
    /// The agent is in a team from now on.
    #[serde(rename = "agent.joined_team")]
    AgentJoinedTeam {
        /// Which.
        team: TeamId,
    },
    /// The agent is no longer in a team.
    #[serde(rename = "agent.left_team")]
    AgentLeftTeam {
        /// Which.
        team: TeamId,
    },
    /// The skills changed.
    #[serde(rename = "agent.skills_changed")]
    SkillsChanged {
        /// All of them before.
        from: BTreeSet<Skill>,
        /// All of them after.
        to: BTreeSet<Skill>,
    },
    /// The capacity changed.
    #[serde(rename = "agent.capacity_set")]
    CapacitySet {
        /// Before; unlimited, if none.
        from: Option<u32>,
        /// After; unlimited, if none.
        to: Option<u32>,
    },
    /// The presence changed.
    #[serde(rename = "agent.presence_changed")]
    PresenceChanged {
        /// Before.
        from: Presence,
        /// After.
        to: Presence,
    },
    /// A ticket takes a part of the capacity.
    #[serde(rename = "agent.slot_reserved")]
    SlotReserved {
        /// Which.
        ticket: TicketId,
        /// How much.
        weight: u32,
        /// Why it may exceed the capacity; there only if it does.
        #[serde(rename = "override")]
        over_capacity: Option<Override>,
    },
    /// A ticket takes nothing of the capacity any more.
    #[serde(rename = "agent.slot_released")]
    SlotReleased {
        /// Which.
        ticket: TicketId,
    },
}

impl Event {
    /// The name on the wire; frozen.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::AgentRegistered { .. } => "agent.registered",
            Self::AgentJoinedTeam { .. } => "agent.joined_team",
            Self::AgentLeftTeam { .. } => "agent.left_team",
            Self::SkillsChanged { .. } => "agent.skills_changed",
            Self::CapacitySet { .. } => "agent.capacity_set",
            Self::PresenceChanged { .. } => "agent.presence_changed",
            Self::SlotReserved { .. } => "agent.slot_reserved",
            Self::SlotReleased { .. } => "agent.slot_released",
        }
    }
}
