//! The types of an agent's events. Each version of each type has a golden file in `tests/golden`.

use shared_kernel::{DomainEvent, EventType};

use crate::event::Event;

impl DomainEvent for Event {
    const TYPES: &'static [EventType] = &[
        EventType::new("agent.registered"),
        EventType::new("agent.joined_team"),
        EventType::new("agent.left_team"),
        EventType::new("agent.skills_changed"),
        EventType::new("agent.capacity_set"),
        EventType::new("agent.presence_changed"),
        EventType::new("agent.slot_reserved"),
        EventType::new("agent.slot_released"),
    ];

    fn event_type(&self) -> &'static str {
        self.name()
    }
}
