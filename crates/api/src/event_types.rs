//! Every type of event of the log, by kind of record.

use desk::KeyEvent;
use settings_aggregate::{Setting, Team};
use shared_kernel::{Aggregate, DomainEvent, EventType};

/// The types of all kinds of records.
pub(crate) fn all() -> impl Iterator<Item = &'static EventType> {
    let of_records = [
        ticket_aggregate::Event::TYPES,
        person_aggregate::Event::TYPES,
        agent_aggregate::Event::TYPES,
        <Setting<Team> as Aggregate>::Event::TYPES,
        KeyEvent::TYPES,
    ];
    of_records.into_iter().flatten()
}
