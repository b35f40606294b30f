//! What one can ask of an agent's record.

use std::collections::BTreeSet;

use shared_kernel::{Handle, PersonId, TeamId, TicketId, string_enum};

use crate::value::{Override, Presence, Skill};

/// An intent, that [`decide`](shared_kernel::Aggregate::decide) may refuse. One that changes nothing records nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Register an agent.
    Register {
        /// Never changes; the caller takes the alias, which makes it unique.
        handle: Handle,
        /// The person that they are.
        person: PersonId,
        /// 0 to 10,000; unlimited, if none.
        capacity: Option<u32>,
    },
    /// Join a team.
    JoinTeam {
        /// Which.
        team: TeamId,
    },
    /// Leave a team. The slots of its tickets stay: the caller reassigns the tickets.
    LeaveTeam {
        /// Which.
        team: TeamId,
    },
    /// Replace the skills.
    SetSkills {
        /// At most 100.
        skills: BTreeSet<Skill>,
    },
    /// Change the capacity. Slots that exceed it stay.
    SetCapacity {
        /// 0 to 10,000; unlimited, if none.
        capacity: Option<u32>,
    },
    /// Change the presence.
    SetPresence {
        /// To which.
        presence: Presence,
    },
    /// Reserve a slot for a ticket. If the ticket has one, its weight stays as it is.
    Reserve {
        /// For which.
        ticket: TicketId,
        /// How much of the capacity it takes.
        weight: u32,
        /// Why it may exceed the capacity; it may not, if none.
        over_capacity: Option<Override>,
    },
    /// Release a ticket's slot.
    Release {
        /// Whose.
        ticket: TicketId,
    },
}

string_enum! {
    /// The name of a command.
    CommandKind("command") {
        /// See [`Command::Register`].
        Register = "register",
        /// See [`Command::JoinTeam`].
        JoinTeam = "join-team",
        /// See [`Command::LeaveTeam`].
        LeaveTeam = "leave-team",
        /// See [`Command::SetSkills`].
        SetSkills = "set-skills",
        /// See [`Command::SetCapacity`].
        SetCapacity = "set-capacity",
        /// See [`Command::SetPresence`].
        SetPresence = "set-presence",
        /// See [`Command::Reserve`].
        Reserve = "reserve",
        /// See [`Command::Release`].
        Release = "release",
    }
}

impl Command {
    /// Its name.
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::Register { .. } => CommandKind::Register,
            Self::JoinTeam { .. } => CommandKind::JoinTeam,
            Self::LeaveTeam { .. } => CommandKind::LeaveTeam,
            Self::SetSkills { .. } => CommandKind::SetSkills,
            Self::SetCapacity { .. } => CommandKind::SetCapacity,
            Self::SetPresence { .. } => CommandKind::SetPresence,
            Self::Reserve { .. } => CommandKind::Reserve,
            Self::Release { .. } => CommandKind::Release,
        }
    }
}
