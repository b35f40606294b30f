//! Any command and any event, over few enough names that they meet.

use std::collections::BTreeSet;

use agent_aggregate::{Command, Event, Override, Presence, Skill, limits};
use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use shared_kernel::testing::{person, team, ticket};
use shared_kernel::{PersonId, TeamId, TicketId};

use crate::scenario::handle;

const NAMES: &[&str] = &["a", "b", "c", "d"];

fn people() -> impl Strategy<Value = PersonId> {
    select(NAMES).prop_map(person)
}
fn teams() -> impl Strategy<Value = TeamId> {
    select(NAMES).prop_map(team)
}
fn tickets() -> impl Strategy<Value = TicketId> {
    select(NAMES).prop_map(ticket)
}
fn skills() -> impl Strategy<Value = BTreeSet<Skill>> {
    btree_set(select(NAMES).prop_map(|name| Skill::parse(name).unwrap()), 0..4)
}
fn weights() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0..5_u32, 1 => any::<u32>()]
}
fn capacities() -> impl Strategy<Value = Option<u32>> {
    option::weighted(0.9, prop_oneof![8 => 0..8_u32, 1 => limits::CAPACITY - 1..limits::CAPACITY + 2])
}
fn presences() -> impl Strategy<Value = Presence> {
    select(Presence::ALL)
}
fn overrides() -> impl Strategy<Value = Option<Override>> {
    option::weighted(0.3, select(Override::ALL))
}

pub(crate) fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        1 => (select(NAMES), people(), capacities()).prop_map(|(name, person, capacity)| Command::Register {
            handle: handle(name),
            person,
            capacity,
        }),
        2 => teams().prop_map(|team| Command::JoinTeam { team }),
        2 => teams().prop_map(|team| Command::LeaveTeam { team }),
        2 => skills().prop_map(|skills| Command::SetSkills { skills }),
        2 => capacities().prop_map(|capacity| Command::SetCapacity { capacity }),
        2 => presences().prop_map(|presence| Command::SetPresence { presence }),
        8 => (tickets(), weights(), overrides())
            .prop_map(|(ticket, weight, over_capacity)| Command::Reserve { ticket, weight, over_capacity }),
        4 => tickets().prop_map(|ticket| Command::Release { ticket }),
    ]
}

/// Whether or not an agent could ever have it.
pub(crate) fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        (select(NAMES), people(), option::of(any::<u32>()))
            .prop_map(|(name, person, capacity)| { Event::AgentRegistered { handle: handle(name), person, capacity } }),
        teams().prop_map(|team| Event::AgentJoinedTeam { team }),
        teams().prop_map(|team| Event::AgentLeftTeam { team }),
        (skills(), skills()).prop_map(|(from, to)| Event::SkillsChanged { from, to }),
        (option::of(any::<u32>()), option::of(any::<u32>())).prop_map(|(from, to)| Event::CapacitySet { from, to }),
        (presences(), presences()).prop_map(|(from, to)| Event::PresenceChanged { from, to }),
        (tickets(), any::<u32>(), overrides()).prop_map(|(ticket, weight, over_capacity)| Event::SlotReserved {
            ticket,
            weight,
            over_capacity
        }),
        tickets().prop_map(|ticket| Event::SlotReleased { ticket }),
    ]
}
