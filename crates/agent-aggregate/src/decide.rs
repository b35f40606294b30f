//! Which events a command records, or why it is refused.

use std::collections::BTreeSet;

use shared_kernel::{TeamId, TicketId};

use crate::agent::Agent;
use crate::command::Command;
use crate::event::Event;
use crate::limits;
use crate::rejection::Rejection;
use crate::value::{Override, Presence, Skill};

pub(crate) fn decide(agent: Option<&Agent>, command: &Command) -> Result<Vec<Event>, Rejection> {
    validate(command)?;
    match (agent, command) {
        (None, Command::Register { handle, person, capacity }) => {
            Ok(vec![Event::AgentRegistered { handle: handle.clone(), person: *person, capacity: *capacity }])
        }
        (None, _) => Err(Rejection::NotRegistered),
        (Some(agent), _) => record(agent, command).map(|event| event.into_iter().collect()),
    }
}

/// Whether a command is sound in itself, whatever the agent.
fn validate(command: &Command) -> Result<(), Rejection> {
    match command {
        Command::Register { capacity: Some(capacity), .. } | Command::SetCapacity { capacity: Some(capacity) }
            if *capacity > limits::CAPACITY =>
        {
            Err(Rejection::CapacityTooLarge { limit: limits::CAPACITY })
        }
        Command::SetSkills { skills } if skills.len() > limits::SKILLS => {
            Err(Rejection::TooManySkills { limit: limits::SKILLS })
        }
        Command::Register { .. }
        | Command::JoinTeam { .. }
        | Command::LeaveTeam { .. }
        | Command::SetSkills { .. }
        | Command::SetCapacity { .. }
        | Command::SetPresence { .. }
        | Command::Reserve { .. }
        | Command::Release { .. } => Ok(()),
    }
}

/// The event of a command on a registered agent; none, if it changes nothing.
fn record(agent: &Agent, command: &Command) -> Result<Option<Event>, Rejection> {
    match command {
        Command::Register { .. } => Err(Rejection::AlreadyRegistered),
        Command::JoinTeam { team } => join_team(agent, *team),
        Command::LeaveTeam { team } => Ok(leave_team(agent, *team)),
        Command::SetSkills { skills } => Ok(set_skills(agent, skills)),
        Command::SetCapacity { capacity } => Ok(set_capacity(agent, *capacity)),
        Command::SetPresence { presence } => Ok(set_presence(agent, *presence)),
        Command::Reserve { ticket, weight, over_capacity } => reserve(agent, *ticket, *weight, *over_capacity),
        Command::Release { ticket } => Ok(release(agent, *ticket)),
    }
}

fn join_team(agent: &Agent, team: TeamId) -> Result<Option<Event>, Rejection> {
    if agent.teams.contains(&team) {
        return Ok(None);
    }
    if agent.teams.len() >= limits::TEAMS {
        return Err(Rejection::TooManyTeams { limit: limits::TEAMS });
    }
    Ok(Some(Event::AgentJoinedTeam { team }))
}

fn leave_team(agent: &Agent, team: TeamId) -> Option<Event> {
    agent.teams.contains(&team).then_some(Event::AgentLeftTeam { team })
}

fn set_skills(agent: &Agent, skills: &BTreeSet<Skill>) -> Option<Event> {
    let changed = || Event::SkillsChanged { from: agent.skills.clone(), to: skills.clone() };
    (agent.skills != *skills).then(changed)
}

fn set_capacity(agent: &Agent, capacity: Option<u32>) -> Option<Event> {
    (agent.capacity != capacity).then_some(Event::CapacitySet { from: agent.capacity, to: capacity })
}

fn set_presence(agent: &Agent, presence: Presence) -> Option<Event> {
    (agent.presence != presence).then_some(Event::PresenceChanged { from: agent.presence, to: presence })
}

/// A slot that fits records no override, whether or not one was allowed: what is recorded was needed.
fn reserve(
    agent: &Agent,
    ticket: TicketId,
    weight: u32,
    over_capacity: Option<Override>,
) -> Result<Option<Event>, Rejection> {
    if agent.slots.contains_key(&ticket) {
        return Ok(None);
    }
    let over_capacity = match (agent.overrun(weight), over_capacity) {
        (None, _) => None,
        (Some(_), Some(reason)) => Some(reason),
        (Some(capacity), None) => return Err(Rejection::AtCapacity { load: agent.load(), capacity, weight }),
    };
    Ok(Some(Event::SlotReserved { ticket, weight, over_capacity }))
}

fn release(agent: &Agent, ticket: TicketId) -> Option<Event> {
    agent.slots.contains_key(&ticket).then_some(Event::SlotReleased { ticket })
}
