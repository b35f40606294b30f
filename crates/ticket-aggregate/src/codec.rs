//! The types of a ticket's events and the history of their shapes. Each version of each type has a golden file in
//! `tests/golden`.

use shared_kernel::{DomainEvent, EventType};

use crate::event::Event;

impl DomainEvent for Event {
    const TYPES: &'static [EventType] = &[
        EventType::new("ticket.opened"),
        EventType::new("ticket.public_reply_added"),
        EventType::new("ticket.requester_replied"),
        EventType::new("ticket.internal_note_added"),
        EventType::new("ticket.agent_assigned"),
        EventType::new("ticket.agent_unassigned"),
        EventType::new("ticket.team_assigned"),
        EventType::new("ticket.priority_changed"),
        EventType::new("ticket.category_changed"),
        EventType::new("ticket.tags_added"),
        EventType::new("ticket.tags_removed"),
        EventType::new("ticket.subject_changed"),
        EventType::new("ticket.requester_changed"),
        EventType::new("ticket.work_started"),
        EventType::new("ticket.pended"),
        EventType::new("ticket.put_on_hold"),
        EventType::new("ticket.resumed"),
        EventType::new("ticket.resolved"),
        EventType::new("ticket.reopened"),
        EventType::new("ticket.closed"),
        EventType::new("ticket.linked"),
        EventType::new("ticket.unlinked"),
        EventType::new("ticket.follower_added"),
        EventType::new("ticket.follower_removed"),
    ];

    fn event_type(&self) -> &'static str {
        self.name()
    }
}
