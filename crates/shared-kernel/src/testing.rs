//! Given events, when a command, then events or a rejection: the one shape of an aggregate's test.
//!
//! ```
//! # use shared_kernel::{Aggregate, DomainEvent, EventType, Stamp, testing::{given, given_nothing}, uuid_id};
//! # uuid_id! { DoorId; }
//! # #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
//! # enum Event { #[serde(rename = "door.opened")] Opened {} }
//! # impl DomainEvent for Event {
//! #     const TYPES: &'static [EventType] = &[EventType::new("door.opened")];
//! #     fn event_type(&self) -> &'static str { "door.opened" }
//! # }
//! # #[derive(Debug)] enum Command { Open }
//! # #[derive(Debug, PartialEq, thiserror::Error)]
//! # #[error("the door is open")] struct AlreadyOpen;
//! # #[derive(Debug)] struct Door;
//! # impl Aggregate for Door {
//! #     const TYPE: &'static str = "door"; const STATE_SCHEMA: i16 = 1;
//! #     type Id = DoorId; type State = bool; type Command = Command; type Event = Event; type Context = ();
//! #     type Rejection = AlreadyOpen;
//! #     fn decide(open: Option<&bool>, _: &Command, (): &()) -> Result<Vec<Event>, AlreadyOpen> {
//! #         if open == Some(&true) { Err(AlreadyOpen) } else { Ok(vec![Event::Opened {}]) }
//! #     }
//! #     fn evolve(_: Option<bool>, _: &Event, _: &Stamp) -> Option<bool> { Some(true) }
//! # }
//! given_nothing::<Door>().when(Command::Open, ()).then([Event::Opened {}]);
//! given::<Door>([Event::Opened {}]).when(Command::Open, ()).then_rejected(AlreadyOpen);
//! ```

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Actor, AgentId, Aggregate, PersonId, Role, Stamp, StreamVersion, TeamId, TicketId};

/// The id that a name stands for in tests: the same name, the same id.
fn named(kind: &str, name: &str) -> uuid::Uuid {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{kind}:{name}").as_bytes())
}

/// The person whom a name stands for.
pub fn person(name: &str) -> PersonId {
    PersonId(named("person", name))
}

/// The agent whom a name stands for. The person that they are is [`person`] of the same name.
pub fn agent(name: &str) -> AgentId {
    AgentId(named("agent", name))
}

/// The team that a name stands for.
pub fn team(name: &str) -> TeamId {
    TeamId(named("team", name))
}

/// The ticket that a name stands for.
pub fn ticket(name: &str) -> TicketId {
    TicketId(named("ticket", name))
}

/// The person of that name, who asks.
pub fn requester(name: &str) -> Actor {
    Actor::requester(person(name))
}

/// The agent of that name, with a rank.
pub fn staff(role: Role, name: &str) -> Actor {
    Actor::staff(role, agent(name), person(name))
}

/// So many hours after the first event of every story, which happens at 2026-01-05 09:00 UTC.
pub fn hour(hours: i64) -> DateTime<Utc> {
    let start = DateTime::from_timestamp(1_767_603_600, 0).expect("a time within range");
    start + TimeDelta::hours(hours)
}

/// The fold of events that happened an hour apart, the first at [`hour`] 0.
pub fn fold<A: Aggregate>(events: &[A::Event]) -> Option<A::State> {
    (0..).zip(events).fold(None, |state, (hours, event)| {
        A::evolve(state, event, &Stamp { occurred_at: hour(hours), version: StreamVersion(hours + 1) })
    })
}

/// A stream.
#[derive(Debug)]
pub struct Given<A: Aggregate>(Vec<A::Event>);

/// A stream, and what became of a command.
#[derive(Debug)]
pub struct When<A: Aggregate> {
    before: Vec<A::Event>,
    outcome: Result<Vec<A::Event>, A::Rejection>,
}

/// A stream that holds these events, an hour apart.
pub fn given<A: Aggregate>(events: impl Into<Vec<A::Event>>) -> Given<A> {
    Given(events.into())
}

/// A stream without events.
pub fn given_nothing<A: Aggregate>() -> Given<A> {
    Given(Vec::new())
}

impl<A: Aggregate> Given<A> {
    /// Decides a command, twice: the same question has the same answer.
    #[track_caller]
    pub fn when(self, command: A::Command, context: A::Context) -> When<A> {
        let state = fold::<A>(&self.0);
        let outcome = A::decide(state.as_ref(), &command, &context);
        assert_eq!(outcome, A::decide(state.as_ref(), &command, &context), "deciding is repeatable");
        drop((command, context));
        When { before: self.0, outcome }
    }
}

impl<A: Aggregate> When<A> {
    /// The command recorded these events; the story can go on from them.
    #[track_caller]
    pub fn then(self, events: impl Into<Vec<A::Event>>) -> Given<A> {
        let events = events.into();
        assert_eq!(self.outcome, Ok(events.clone()));
        Given([self.before, events].concat())
    }

    /// The command changed nothing, and recorded nothing.
    #[track_caller]
    pub fn then_nothing(self) {
        assert_eq!(self.outcome, Ok(Vec::new()));
    }

    /// The command was refused.
    #[track_caller]
    pub fn then_rejected(self, rejection: A::Rejection) {
        assert_eq!(self.outcome, Err(rejection));
    }
}
