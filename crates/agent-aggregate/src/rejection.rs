//! Why a command was refused.

use shared_kernel::RejectionKind;

/// Why a command is refused: data to act on; `Display` is a sentence that says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The capacity is above the limit.
    #[error("a capacity is at most {limit}; choose a lower one, or none for an unlimited one")]
    CapacityTooLarge {
        /// The largest capacity.
        limit: u32,
    },
    /// There are more skills than an agent may have.
    #[error("an agent has at most {limit} skills; leave some out")]
    TooManySkills {
        /// How many they may have.
        limit: usize,
    },

    /// There is no agent yet.
    #[error("there is no such agent yet; register it first")]
    NotRegistered,
    /// There is an agent already.
    #[error("the agent is registered already; use a new id")]
    AlreadyRegistered,
    /// The agent would be in more teams than they may.
    #[error("an agent is in at most {limit} teams; leave one first")]
    TooManyTeams {
        /// How many they may be in.
        limit: usize,
    },
    /// The slot would exceed the capacity, and nothing lets it.
    #[error(
        "the agent has a load of {load} and a capacity of {capacity}: no room for a weight of {weight}; \
         choose another agent, or raise the capacity first"
    )]
    AtCapacity {
        /// The weight of all slots together.
        load: u64,
        /// How much they can have.
        capacity: u32,
        /// The weight of the slot that does not fit.
        weight: u32,
    },
}

impl Rejection {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CapacityTooLarge { .. } => "capacity_too_large",
            Self::TooManySkills { .. } => "too_many_skills",
            Self::NotRegistered => "not_registered",
            Self::AlreadyRegistered => "already_registered",
            Self::TooManyTeams { .. } => "too_many_teams",
            Self::AtCapacity { .. } => "at_capacity",
        }
    }

    /// Invalid or conflict.
    pub const fn kind(&self) -> RejectionKind {
        match self {
            Self::CapacityTooLarge { .. } | Self::TooManySkills { .. } => RejectionKind::Invalid,
            Self::NotRegistered | Self::AlreadyRegistered | Self::TooManyTeams { .. } | Self::AtCapacity { .. } => {
                RejectionKind::Conflict
            }
        }
    }
}
