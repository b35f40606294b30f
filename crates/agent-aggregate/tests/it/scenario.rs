//! The events of the stories that the tests tell, as given/when/then.

use std::collections::BTreeSet;

use agent_aggregate::{Agent, Command, Event, Override, Presence, Skill};
use shared_kernel::Handle;
use shared_kernel::testing::{self, Given, person, team, ticket};

pub(crate) fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}
pub(crate) fn skills(words: &[&str]) -> BTreeSet<Skill> {
    words.iter().map(|word| Skill::parse(word).unwrap()).collect()
}

/// Ada, with a capacity of 5.
pub(crate) fn registered() -> Event {
    registered_with(Some(5))
}
pub(crate) fn registered_with(capacity: Option<u32>) -> Event {
    Event::AgentRegistered { handle: handle("ada"), person: person("ada"), capacity }
}
pub(crate) fn joined(name: &str) -> Event {
    Event::AgentJoinedTeam { team: team(name) }
}
pub(crate) fn left(name: &str) -> Event {
    Event::AgentLeftTeam { team: team(name) }
}
pub(crate) fn skills_changed(from: &[&str], to: &[&str]) -> Event {
    Event::SkillsChanged { from: skills(from), to: skills(to) }
}
pub(crate) fn capacity_set(from: Option<u32>, to: Option<u32>) -> Event {
    Event::CapacitySet { from, to }
}
pub(crate) fn presence_changed(from: Presence, to: Presence) -> Event {
    Event::PresenceChanged { from, to }
}
pub(crate) fn reserved(name: &str, weight: u32) -> Event {
    reserved_beyond(name, weight, None)
}
pub(crate) fn reserved_beyond(name: &str, weight: u32, over_capacity: Option<Override>) -> Event {
    Event::SlotReserved { ticket: ticket(name), weight, over_capacity }
}
pub(crate) fn released(name: &str) -> Event {
    Event::SlotReleased { ticket: ticket(name) }
}

pub(crate) fn register(capacity: Option<u32>) -> Command {
    Command::Register { handle: handle("ada"), person: person("ada"), capacity }
}
pub(crate) fn reserve(name: &str, weight: u32, over_capacity: Option<Override>) -> Command {
    Command::Reserve { ticket: ticket(name), weight, over_capacity }
}
pub(crate) fn release(name: &str) -> Command {
    Command::Release { ticket: ticket(name) }
}

pub(crate) fn given(events: impl Into<Vec<Event>>) -> Given<Agent> {
    testing::given(events)
}
pub(crate) fn fold(events: &[Event]) -> Option<Agent> {
    testing::fold::<Agent>(events)
}
pub(crate) fn agent(events: &[Event]) -> Agent {
    fold(events).expect("the story has a registration")
}
