use shared_kernel::{Aggregate, PersonId, Stamp};

use crate::command::Command;
use crate::context::Context;
use crate::event::Event;
use crate::person::Person;
use crate::rejection::Rejection;
use crate::{decide, evolve, legal};

impl Aggregate for Person {
    const TYPE: &'static str = "person";
    const STATE_SCHEMA: i16 = 1;

    type Id = PersonId;
    type State = Self;
    type Command = Command;
    type Event = Event;
    type Context = Context;
    type Rejection = Rejection;

    /// The checks come in the order in which HTTP answers them: whether the command itself is sound (422), whether the
    /// person's state lets it happen (409).
    fn decide(person: Option<&Self>, command: &Command, context: &Context) -> Result<Vec<Event>, Rejection> {
        decide::decide(person, command, context)
    }

    fn evolve(person: Option<Self>, event: &Event, stamp: &Stamp) -> Option<Self> {
        evolve::evolve(person, event, stamp)
    }

    fn check_step(person: Option<&Self>, event: &Event) -> Result<(), Box<dyn std::error::Error>> {
        Ok(legal::legal_step(person, event)?)
    }

    fn size_of(person: &Self) -> usize {
        let name = person.name.as_ref().map_or(0, |name| name.as_str().len());
        let identities = person.identities.values().map(|value| value.len() + 128).sum::<usize>();
        size_of::<Self>() + name + identities + person.merged.len() * 32
    }
}
