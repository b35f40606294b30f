//! What an event means for an agent: total and infallible, for what is recorded has happened.

use std::collections::{BTreeMap, BTreeSet};

use shared_kernel::Stamp;

use crate::agent::Agent;
use crate::event::Event;
use crate::value::Presence;

/// The state after an event.
///
/// An event that can't have been recorded in that state, such as one before the registration, changes as little as it
/// can: finding such histories is [`legal_step`](crate::legal_step)'s business.
#[must_use]
pub(crate) fn evolve(agent: Option<Agent>, event: &Event, stamp: &Stamp) -> Option<Agent> {
    let mut agent = match (agent, event) {
        (None, Event::AgentRegistered { handle, person, capacity }) => {
            return Some(Agent {
                updated_at: stamp.occurred_at,
                slots: BTreeMap::new(),
                presence: Presence::Online,
                capacity: *capacity,
                teams: BTreeSet::new(),
                skills: BTreeSet::new(),
                handle: handle.clone(),
                person: *person,
                registered_at: stamp.occurred_at,
            });
        }
        (None, _) => return None,
        (Some(agent), _) => agent,
    };
    apply(&mut agent, event);
    agent.updated_at = stamp.occurred_at;
    Some(agent)
}

fn apply(agent: &mut Agent, event: &Event) {
    match event {
        // a second registration is a fault of the log
        Event::AgentRegistered { .. } => {}
        Event::AgentJoinedTeam { team } => {
            agent.teams.insert(*team);
        }
        Event::AgentLeftTeam { team } => {
            agent.teams.remove(team);
        }
        Event::SkillsChanged { to, .. } => agent.skills.clone_from(to),
        Event::CapacitySet { to, .. } => agent.capacity = *to,
        Event::PresenceChanged { to, .. } => agent.presence = *to,
        Event::SlotReserved { ticket, weight, .. } => {
            agent.slots.insert(*ticket, *weight);
        }
        Event::SlotReleased { ticket } => {
            agent.slots.remove(ticket);
        }
    }
}
