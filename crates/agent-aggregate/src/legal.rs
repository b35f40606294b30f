//! Whether a recorded event could have been recorded: the audit's question to an agent's history.

use std::fmt;

use crate::agent::Agent;
use crate::event::Event;
use crate::value::Override;

/// Why an event can't have happened in that state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IllegalStep {
    /// Only a registration can come first.
    #[error("{event_type} before the agent was registered")]
    BeforeRegistration {
        /// What was recorded.
        event_type: &'static str,
    },
    /// An agent is registered once.
    #[error("the agent is registered a second time")]
    RegisteredAgain,
    /// The event says of the state before it what is not so, or changes nothing.
    #[error("{event_type} contradicts the agent: {field} is {actual}")]
    Contradiction {
        /// What was recorded.
        event_type: &'static str,
        /// The agent's member that it contradicts.
        field: &'static str,
        /// What that member really was.
        actual: String,
    },
    /// A reservation exceeds the capacity, and no override says why.
    #[error(
        "a weight of {weight} is reserved on a load of {load}, beyond the capacity of {capacity}, without override"
    )]
    BeyondCapacity {
        /// The weight of all slots before it.
        load: u64,
        /// How much the agent could have.
        capacity: u32,
        /// The weight that was reserved.
        weight: u32,
    },
    /// A reservation names an override, and fits into the capacity.
    #[error("a weight of {weight} is reserved with the override {reason}, but it fits")]
    NeedlessOverride {
        /// The weight that was reserved.
        weight: u32,
        /// The override.
        reason: Override,
    },
}

/// Whether this event may follow on that state. Limits on numbers of teams and skills and on the capacity are not checked:
/// they may have been others then.
///
/// # Errors
/// Why it can't have happened.
pub fn legal_step(before: Option<&Agent>, event: &Event) -> Result<(), IllegalStep> {
    let agent = match (before, event) {
        (None, Event::AgentRegistered { .. }) => return Ok(()),
        (None, _) => return Err(IllegalStep::BeforeRegistration { event_type: event.name() }),
        (Some(_), Event::AgentRegistered { .. }) => return Err(IllegalStep::RegisteredAgain),
        (Some(agent), _) => agent,
    };
    let premise = |holds: bool, field: &'static str, actual: &dyn fmt::Debug| {
        if holds {
            return Ok(());
        }
        Err(IllegalStep::Contradiction { event_type: event.name(), field, actual: format!("{actual:?}") })
    };
    let Agent { teams, skills, capacity, presence, slots, .. } = agent;
    match event {
        // answered above
        Event::AgentRegistered { .. } => Ok(()),
        Event::AgentJoinedTeam { team } => premise(!teams.contains(team), "teams", teams),
        Event::AgentLeftTeam { team } => premise(teams.contains(team), "teams", teams),
        Event::SkillsChanged { from, to } => premise(from == skills && from != to, "skills", skills),
        Event::CapacitySet { from, to } => premise(from == capacity && from != to, "capacity", capacity),
        Event::PresenceChanged { from, to } => premise(from == presence && from != to, "presence", presence),
        Event::SlotReserved { ticket, weight, over_capacity } => {
            premise(!slots.contains_key(ticket), "slots", slots)?;
            legal_override(agent, *weight, *over_capacity)
        }
        Event::SlotReleased { ticket } => premise(slots.contains_key(ticket), "slots", slots),
    }
}

/// An override stands in a reservation exactly if it exceeds the capacity.
fn legal_override(agent: &Agent, weight: u32, over_capacity: Option<Override>) -> Result<(), IllegalStep> {
    match (agent.overrun(weight), over_capacity) {
        (Some(capacity), None) => Err(IllegalStep::BeyondCapacity { load: agent.load(), capacity, weight }),
        (None, Some(reason)) => Err(IllegalStep::NeedlessOverride { weight, reason }),
        (None, None) | (Some(_), Some(_)) => Ok(()),
    }
}
