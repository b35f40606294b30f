use std::fmt::{Debug, Display};
use std::hash::Hash;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{DomainEvent, StreamVersion};

/// When an event happened, and its place in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// 1 for the first event of a stream.
    pub version: StreamVersion,
}

/// A kind of record that is kept as a stream of events.
///
/// Two pure functions carry all of its rules. [`decide`](Self::decide) turns a command into events or a rejection;
/// [`evolve`](Self::evolve) says what an event means for the state. Neither does I/O or asks a clock: whatever a
/// decision needs from outside of the stream comes in the [`Context`](Self::Context). The two are the *decider*
/// pattern (Jérémie Chassaing); loading, caching, appending and retrying are the executor's
/// (crate `eventsourcing`).
pub trait Aggregate: Debug + Sized + Send + Sync + 'static {
    /// The stream type, and the prefix of its event types and broker subjects: `ticket`.
    const TYPE: &'static str;
    /// The version of the stored form of [`State`](Self::State). Raise it with every change of that form: a snapshot of
    /// another version is ignored.
    const STATE_SCHEMA: i16;

    /// Names one record; its uuid is the stream's.
    type Id: Copy + Eq + Hash + Debug + Display + Send + Sync + From<Uuid> + Into<Uuid>;
    /// The fold of a stream's events.
    type State: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync;
    /// An intent, which may be rejected.
    type Command: Debug + Send + Sync;
    /// A fact.
    type Event: DomainEvent;
    /// The facts of the moment: time, actor, ids to use, and what other streams say.
    type Context: Send + Sync;
    /// Why a command was refused: data, not prose.
    type Rejection: std::error::Error + PartialEq + Send + Sync;

    /// The events that a command records (none if it changes nothing), or why it is refused. `None`: the stream is
    /// empty.
    ///
    /// # Errors
    /// The rejection, if the rules refuse the command.
    fn decide(
        state: Option<&Self::State>,
        command: &Self::Command,
        context: &Self::Context,
    ) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after an event. Total: what was recorded has happened, whatever one thinks of it.
    fn evolve(state: Option<Self::State>, event: &Self::Event, stamp: &Stamp) -> Option<Self::State>;

    /// Whether the rules allow this event to follow on that state: what an audit asks of a recorded stream.
    ///
    /// # Errors
    /// Why it can't have happened.
    fn check_step(state: Option<&Self::State>, event: &Self::Event) -> Result<(), Box<dyn std::error::Error>> {
        let _ = (state, event);
        Ok(())
    }

    /// How many bytes a state takes in memory, roughly: caches are bounded by it.
    fn size_of(state: &Self::State) -> usize {
        size_of_val(state)
    }
}

/// What sort of rejection it is: the one thing that a transport needs to map it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    /// This actor may not.
    Forbidden,
    /// The command itself is at fault: what it says, not when it comes.
    Invalid,
    /// The record's present state is in the way.
    Conflict,
}
