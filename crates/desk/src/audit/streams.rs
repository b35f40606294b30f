//! The audits of all kinds of records. What they know beside an aggregate's own rules: each event names an actor, and which
//! aliases follow from a stream.

use agent_aggregate::Agent;
use eventsourcing::audit::{Breach, FoldAudit, StreamAudit};
use eventstore::{RecordedEvent, StreamType, Version};
use person_aggregate::Person;
use settings_aggregate::{Setting, Team};
use shared_kernel::Aggregate;
use ticket_aggregate::{Event, Ticket};

use crate::execute::aliases::opening_aliases;
use crate::execute::record::Named;
use crate::history::actor_of;
use crate::keys::{Key, SecretsOfEvents};

/// A kind that is missing here is reported as an unknown stream type.
pub(super) fn audits(secrets: &SecretsOfEvents) -> Vec<Box<dyn StreamAudit>> {
    vec![
        of::<Ticket>(Opening::default()),
        of::<Person>(OfState),
        of::<Agent>(OfState),
        of::<Setting<Team>>(OfState),
        of::<Key>(secrets.clone()),
    ]
}

fn of<A: Aggregate>(more: impl More<A> + 'static) -> Box<dyn StreamAudit> {
    Box::new(RecordAudit { fold: FoldAudit::<A>::default(), more })
}

/// The audit of one kind of record.
struct RecordAudit<A: Aggregate, M> {
    fold: FoldAudit<A>,
    more: M,
}

/// What the audit of one kind of record does beyond what that of every kind does.
trait More<A: Aggregate>: Send {
    /// The events of another stream follow.
    fn next_stream(&mut self) {}

    /// An event was folded.
    fn step(&mut self, event: &RecordedEvent, state: Option<&A::State>);

    /// The aliases that follow from the events so far; none if that can't be said.
    fn aliases(&self, state: Option<&A::State>) -> Option<Vec<(String, String)>>;
}

impl<A: Aggregate, M: More<A>> StreamAudit for RecordAudit<A, M> {
    fn stream_type(&self) -> StreamType {
        self.fold.stream_type()
    }

    fn next_stream(&mut self) {
        self.fold.next_stream();
        self.more.next_stream();
    }

    fn step(&mut self, event: &RecordedEvent) -> Result<(), Breach> {
        let step = self.fold.step(event);
        self.more.step(event, self.fold.state());
        step?;
        actor_of(event).map(drop).map_err(|detail| Breach { rule: "unreadable_metadata", detail })
    }

    fn snapshot_schema(&self) -> i16 {
        self.fold.snapshot_schema()
    }

    fn check_snapshot(&self, last: &RecordedEvent, snapshot: &str) -> Result<(), Breach> {
        self.fold.check_snapshot(last, snapshot)
    }

    fn aliases(&self) -> Option<Vec<(String, String)>> {
        self.more.aliases(self.fold.state())
    }
}

/// Aliases that follow from the record's state.
struct OfState;

impl<A: Named> More<A> for OfState {
    fn step(&mut self, _: &RecordedEvent, _: Option<&A::State>) {}

    fn aliases(&self, state: Option<&A::State>) -> Option<Vec<(String, String)>> {
        Some(A::aliases(state?).into_iter().map(|(scope, name)| (scope.to_owned(), name)).collect())
    }
}

/// The aliases that a ticket takes when it is opened, and keeps.
#[derive(Default)]
struct Opening(Option<Vec<(String, String)>>);

impl More<Ticket> for Opening {
    fn next_stream(&mut self) {
        self.0 = None;
    }

    fn step(&mut self, event: &RecordedEvent, _: Option<&Ticket>) {
        if event.version == Version(1) {
            self.0 = read_opening(event);
        }
    }

    fn aliases(&self, state: Option<&Ticket>) -> Option<Vec<(String, String)>> {
        state.and(self.0.clone())
    }
}

fn read_opening(event: &RecordedEvent) -> Option<Vec<(String, String)>> {
    let (Ok(Event::TicketOpened(opened)), Ok(actor)) = (eventsourcing::codec::decode(event), actor_of(event)) else {
        return None;
    };
    Some(opening_aliases(opened.number, &opened.channel, opened.source_id.as_deref(), &actor))
}

/// What events say of the secrets of keys is compared with the secrets in the end. Keys have no aliases.
impl More<Key> for SecretsOfEvents {
    fn step(&mut self, event: &RecordedEvent, state: Option<&<Key as Aggregate>::State>) {
        self.keep(event.stream_id, state);
    }

    fn aliases(&self, state: Option<&<Key as Aggregate>::State>) -> Option<Vec<(String, String)>> {
        state.map(|_| Vec::new())
    }
}
