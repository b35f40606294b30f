//! Who may come in: places for requests under way, memory for their bodies, places for live streams. When they are
//! taken, the answer is 503 with `Retry-After`, at once: waiting would only make the queue longer (docs/adr/0023).

use std::sync::Arc;

use opentelemetry::metrics::Counter;
use opentelemetry::{KeyValue, global};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::Limits;
use crate::problem::{Code, Problem};

/// What a request waits for. Each class has its own permits, so that one that hangs takes nothing from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadClass {
    /// The appender. The permit is taken once the body has arrived, so that a slow sender holds none.
    Command,
    /// The log: one record, its history, events.
    Log,
    /// The read models: lists, reports.
    Query,
    /// What anyone may ask for.
    Public,
    /// The end of a client that follows live.
    Stream,
    /// Nothing: liveness is answered whatever else is asked.
    Exempt,
}

impl LoadClass {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Log => "log",
            Self::Query => "query",
            Self::Public => "public",
            Self::Stream => "stream",
            Self::Exempt => "exempt",
        }
    }
}

pub(crate) struct Admission {
    commands: Arc<Semaphore>,
    log: Arc<Semaphore>,
    queries: Arc<Semaphore>,
    public: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    /// In units of [`UNIT`] bytes.
    bodies: Arc<Semaphore>,
    shed: Counter<u64>,
}

/// A permit for one request, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(#[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>);

/// The bytes by which memory for bodies is given out.
const UNIT: usize = 1024;

/// The memory that a body takes.
#[derive(Debug, Default)]
pub(crate) struct Room(Option<OwnedSemaphorePermit>);

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Self {
        let places = |n: usize| Arc::new(Semaphore::new(n.clamp(1, Semaphore::MAX_PERMITS)));
        let shed = global::meter("docket")
            .u64_counter("docket_requests_shed")
            .with_description("requests refused because as many as can be served were under way, by kind")
            .build();
        shed.add(0, &[KeyValue::new("kind", LoadClass::Command.as_str())]);
        Self {
            commands: places(limits.requests),
            log: places(limits.requests),
            queries: places(limits.requests),
            public: places(limits.requests),
            streams: places(limits.streams),
            bodies: places(limits.body_bytes.div_ceil(UNIT)),
            shed,
        }
    }

    /// Takes a permit, if there is one.
    pub(crate) fn enter(&self, class: LoadClass) -> Result<Permit, Problem> {
        let permits = match class {
            LoadClass::Command => &self.commands,
            LoadClass::Log => &self.log,
            LoadClass::Query => &self.queries,
            LoadClass::Public => &self.public,
            LoadClass::Stream => &self.streams,
            LoadClass::Exempt => return Ok(Permit(None)),
        };
        let permit = permits.clone().try_acquire_owned().map_err(|_| self.full(class.as_str(), "Too many requests"))?;
        Ok(Permit(Some(permit)))
    }

    /// Makes room for a body of so many bytes in all.
    pub(crate) fn make_room(&self, room: &mut Room, bytes: usize) -> Result<(), Problem> {
        let held = room.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = bytes.div_ceil(UNIT).saturating_sub(held);
        if more == 0 {
            return Ok(());
        }
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        let permit = self.bodies.clone().try_acquire_many_owned(more);
        let permit = permit.map_err(|_| self.full("body", "Too many bodies of requests"))?;
        match &mut room.0 {
            Some(held) => held.merge(permit),
            None => room.0 = Some(permit),
        }
        Ok(())
    }

    fn full(&self, kind: &'static str, what: &str) -> Problem {
        self.shed.add(1, &[KeyValue::new("kind", kind)]);
        Problem::new(Code::Overloaded, format!("{what} are under way; nothing of this one was carried out."))
            .retry_after(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_for_bodies_is_given_out_and_comes_back() {
        let admission = Admission::new(&Limits { body_bytes: 10 * UNIT, ..Limits::default() });
        let (mut one, mut two) = (Room::default(), Room::default());
        for bytes in [1, 100, UNIT, UNIT + 1, 8 * UNIT] {
            admission.make_room(&mut one, bytes).unwrap();
        }
        admission.make_room(&mut two, 2 * UNIT).unwrap();
        assert!(admission.make_room(&mut two, 2 * UNIT + 1).is_err());
        drop(one);
        admission.make_room(&mut two, 10 * UNIT).unwrap();
    }
}
