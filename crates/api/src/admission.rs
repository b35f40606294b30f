//! Load shedding: permits for requests in flight, for live streams, and for the memory of bodies. When they are taken, the
//! answer is 503 with `Retry-After`, at once: waiting would only make the queue longer (docs/adr/0023).

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
    /// In units of [`UNIT`].
    bodies: Arc<Semaphore>,
    shed: Counter<u64>,
}

/// A permit for one request, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(#[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>);

/// Memory is given out in units of so many bytes.
const UNIT: usize = 1024;

/// The memory that a request's body takes, and then its answer.
#[derive(Debug, Default)]
pub(crate) struct BodyPermit {
    permit: Option<OwnedSemaphorePermit>,
    bodies: Option<Arc<Semaphore>>,
}

impl BodyPermit {
    fn missing(&self, bytes: usize) -> u32 {
        let held = self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        u32::try_from(bytes.div_ceil(UNIT).saturating_sub(held)).unwrap_or(u32::MAX)
    }

    fn merge(&mut self, permit: OwnedSemaphorePermit) {
        match &mut self.permit {
            Some(held) => held.merge(permit),
            None => self.permit = Some(permit),
        }
    }

    /// Takes as much memory as there is for an answer of that size. A command has been carried out by then: its answer is
    /// sent in any case.
    pub(crate) fn cover(&mut self, bytes: usize) {
        let missing = self.missing(bytes);
        if let Some(bodies) = self.bodies.clone().filter(|_| missing > 0) {
            let available = u32::try_from(bodies.available_permits()).unwrap_or(u32::MAX).min(missing);
            if let Ok(permit) = bodies.try_acquire_many_owned(available) {
                self.merge(permit);
            }
        }
    }
}

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Self {
        let permits = |n: usize| Arc::new(Semaphore::new(n.clamp(1, Semaphore::MAX_PERMITS)));
        let shed = global::meter("docket")
            .u64_counter("docket_requests_shed")
            .with_description("requests refused because as many as can be served were under way, by kind")
            .build();
        shed.add(0, &[KeyValue::new("kind", LoadClass::Command.as_str())]);
        Self {
            commands: permits(limits.requests),
            log: permits(limits.requests),
            queries: permits(limits.requests),
            public: permits(limits.requests),
            streams: permits(limits.streams),
            bodies: permits(limits.body_bytes.div_ceil(UNIT)),
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

    /// Makes the permit one for a body of so many bytes in all. 503 if there is not as much memory.
    pub(crate) fn grow(&self, memory: &mut BodyPermit, bytes: usize) -> Result<(), Problem> {
        memory.bodies.get_or_insert_with(|| self.bodies.clone());
        let missing = memory.missing(bytes);
        if missing > 0 {
            let permit = self.bodies.clone().try_acquire_many_owned(missing);
            memory.merge(permit.map_err(|_| self.full("body", "Too many bodies of requests"))?);
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
    fn body_memory_is_bounded_and_comes_back() {
        let admission = Admission::new(&Limits { body_bytes: 10 * UNIT, ..Limits::default() });
        let (mut one, mut two) = (BodyPermit::default(), BodyPermit::default());
        for bytes in [1, 100, UNIT, UNIT + 1, 8 * UNIT] {
            admission.grow(&mut one, bytes).unwrap();
        }
        admission.grow(&mut two, 2 * UNIT).unwrap();
        assert!(admission.grow(&mut two, 2 * UNIT + 1).is_err());
        drop(one);
        admission.grow(&mut two, 10 * UNIT).unwrap();
    }

    #[test]
    fn answer_is_covered_as_far_as_memory_reaches() {
        let admission = Admission::new(&Limits { body_bytes: 4 * UNIT, ..Limits::default() });
        let (mut one, mut two) = (BodyPermit::default(), BodyPermit::default());
        admission.grow(&mut one, UNIT).unwrap();
        one.cover(10 * UNIT);
        assert!(admission.grow(&mut two, 1).is_err(), "all of it is held");
        drop(one);
        admission.grow(&mut two, 4 * UNIT).unwrap();
    }
}
