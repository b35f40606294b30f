//! The audit of one aggregate's streams.

use eventstore::{RecordedEvent, StreamType};
use shared_kernel::Aggregate;

use super::{Breach, StreamAudit};
use crate::codec;
use crate::records::SnapshotBody;

/// Folds an aggregate's streams, and holds each step against its rules. Knows no aliases.
#[derive(Debug)]
pub struct FoldAudit<A: Aggregate> {
    state: Option<A::State>,
    /// Whether an event could not be read: what the state is since then is not known.
    unreadable: bool,
}

impl<A: Aggregate> Default for FoldAudit<A> {
    fn default() -> Self {
        Self { state: None, unreadable: false }
    }
}

impl<A: Aggregate> FoldAudit<A> {
    /// The fold of the events so far; none if one of them can't be read.
    pub fn state(&self) -> Option<&A::State> {
        self.state.as_ref().filter(|_| !self.unreadable)
    }
}

impl<A: Aggregate> StreamAudit for FoldAudit<A> {
    fn stream_type(&self) -> StreamType {
        codec::stream_type::<A>()
    }

    fn next_stream(&mut self) {
        *self = Self::default();
    }

    fn step(&mut self, recorded: &RecordedEvent) -> Result<(), Breach> {
        let decoded = shared_kernel::codec::decode(&recorded.event_type, recorded.schema_version, &recorded.payload);
        let event: A::Event = decoded.map_err(|error| {
            self.unreadable = true;
            Breach { rule: "unreadable_event", detail: codec::chain(&error) }
        })?;
        let legal = A::check_step(self.state.as_ref(), &event);
        let stamp = codec::stamp(recorded.version, recorded.occurred_at);
        self.state = A::evolve(self.state.take(), &event, &stamp);
        legal.map_err(|error| Breach { rule: "illegal_step", detail: codec::chain(&*error) })
    }

    fn snapshot_schema(&self) -> i16 {
        A::STATE_SCHEMA
    }

    fn check_snapshot(&self, last: &RecordedEvent, snapshot: &str) -> Result<(), Breach> {
        if self.unreadable {
            return Ok(());
        }
        let differs = |detail| Err(Breach { rule: "snapshot_differs", detail });
        let body: SnapshotBody<A::State> = match serde_json::from_str(snapshot) {
            Ok(body) => body,
            Err(error) => return differs(format!("it can't be read: {error}")),
        };
        if body.stream != last.stream_id {
            return differs(format!("it is one of stream {}", body.stream));
        }
        if (body.position, body.occurred_at) != (last.position, last.occurred_at) {
            return differs("it names another position or time than the log".to_owned());
        }
        if Some(&body.state) != self.state.as_ref() {
            return differs("its state is not the fold of the events".to_owned());
        }
        Ok(())
    }

    fn aliases(&self) -> Option<Vec<(String, String)>> {
        None
    }
}
