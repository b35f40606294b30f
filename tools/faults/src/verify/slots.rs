//! A ticket that an agent works on takes a slot of theirs, and no other ticket does: the two are recorded in one unit, on two
//! streams.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::{Event, Kept};
use crate::rules;
use crate::world::World;

#[derive(Default)]
struct Work {
    /// Who has a ticket.
    assignees: BTreeMap<Uuid, Uuid>,
    /// Tickets that wait, or are over.
    at_rest: BTreeSet<Uuid>,
    /// Whose slots a ticket takes.
    slots: BTreeMap<Uuid, BTreeSet<Uuid>>,
}

/// After each unit, of the tickets that it touches.
pub(super) fn all(world: &World, kept: &Kept) {
    let mut work = Work::default();
    let mut touched = BTreeSet::new();
    for (index, event) in kept.events.iter().enumerate() {
        touched.extend(work.apply(event));
        let goes_on = kept.events.get(index + 1).is_some_and(|next| next.command_id == event.command_id);
        if goes_on {
            continue;
        }
        for ticket in std::mem::take(&mut touched) {
            let (needed, taken) = (work.needed(ticket), work.slots.get(&ticket).cloned().unwrap_or_default());
            if needed != taken {
                let unit = kept.units.get(&event.command_id).map_or(&[][..], Vec::as_slice);
                let unit: Vec<_> = unit.iter().map(|index| kept.events[*index].kind.as_str()).collect();
                let what = format!(
                    "at position {} {ticket} takes slots of {taken:?}, not of {needed:?}, after {unit:?}",
                    event.position
                );
                world.findings.add(rules::ACKNOWLEDGED, what);
            }
        }
    }
}

impl Work {
    /// The ticket that the event is about.
    fn apply(&mut self, event: &Event) -> Option<Uuid> {
        let data: Value = serde_json::from_str(&event.payload).unwrap_or_default();
        let id = |member: &str| data[member].as_str()?.parse::<Uuid>().ok();
        match event.kind.as_str() {
            "ticket.agent_assigned" => {
                self.assignees.insert(event.stream_id, id("to")?);
            }
            "ticket.agent_unassigned" => {
                self.assignees.remove(&event.stream_id);
            }
            "ticket.resumed" | "ticket.reopened" => {
                self.at_rest.remove(&event.stream_id);
            }
            "ticket.pended" | "ticket.put_on_hold" | "ticket.resolved" | "ticket.closed" => {
                self.at_rest.insert(event.stream_id);
            }
            "agent.slot_reserved" => {
                self.slots.entry(id("ticket")?).or_default().insert(event.stream_id);
                return id("ticket");
            }
            "agent.slot_released" => {
                self.slots.entry(id("ticket")?).or_default().remove(&event.stream_id);
                return id("ticket");
            }
            kind if kind.starts_with("ticket.") => {}
            _ => return None,
        }
        Some(event.stream_id)
    }

    fn needed(&self, ticket: Uuid) -> BTreeSet<Uuid> {
        let active = !self.at_rest.contains(&ticket);
        self.assignees.get(&ticket).filter(|_| active).copied().into_iter().collect()
    }
}
