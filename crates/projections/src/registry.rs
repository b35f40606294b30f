//! All read models. Projector, rebuild, readers, audit, CLI and OpenAPI go through this array.

use crate::agents::Agents;
use crate::people::People;
use crate::queues::Queues;
use crate::read_model::ReadModel;
use crate::settings::Settings;
use crate::tickets::Tickets;
use crate::timers::Timers;

pub(crate) type Registry = &'static [&'static dyn ReadModel];

pub(crate) static READ_MODELS: Registry = &[&Tickets, &Queues, &People, &Agents, &Settings, &Timers];

/// The names of all read models.
pub fn names() -> impl Iterator<Item = &'static str> {
    READ_MODELS.iter().map(|model| model.name())
}
