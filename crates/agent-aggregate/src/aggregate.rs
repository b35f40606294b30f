use shared_kernel::{AgentId, Aggregate, Stamp, TeamId, TicketId};

use crate::agent::Agent;
use crate::command::Command;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::{decide, evolve, legal};

impl Aggregate for Agent {
    const TYPE: &'static str = "agent";
    const STATE_SCHEMA: i16 = 1;

    type Id = AgentId;
    type State = Self;
    type Command = Command;
    type Event = Event;
    type Context = ();
    type Rejection = Rejection;

    /// The checks come in the order in which HTTP answers them: whether the command itself is sound (422), whether the
    /// agent's state lets it happen (409). Who may issue it is the caller's to check.
    fn decide(agent: Option<&Self>, command: &Command, (): &()) -> Result<Vec<Event>, Rejection> {
        decide::decide(agent, command)
    }

    fn evolve(agent: Option<Self>, event: &Event, stamp: &Stamp) -> Option<Self> {
        evolve::evolve(agent, event, stamp)
    }

    fn check_step(agent: Option<&Self>, event: &Event) -> Result<(), Box<dyn std::error::Error>> {
        Ok(legal::legal_step(agent, event)?)
    }

    fn size_of(agent: &Self) -> usize {
        // twice the entries, for what the nodes of a tree leave empty
        let slots = agent.slots.len() * size_of::<(TicketId, u32)>() * 2;
        let teams = agent.teams.len() * size_of::<TeamId>() * 2;
        let skills = agent.skills.iter().map(|skill| skill.as_str().len() + 64).sum::<usize>();
        size_of::<Self>() + agent.handle.as_str().len() + slots + teams + skills
    }
}
