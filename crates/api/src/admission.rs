//! Who may come in: places for requests under way, memory for their bodies, places for live streams. When they are
//! taken, the answer is 503 with `Retry-After`, at once: waiting would only make the queue longer (docs/adr/0023).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use opentelemetry::metrics::Counter;
use opentelemetry::{KeyValue, global};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::App;
use crate::limits::Limits;
use crate::problem::{Code, Problem};

/// What requests wait for. Each kind has its own places, so that one that hangs takes nothing from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The appender: a command whose body has come.
    Command,
    /// The log: a ticket, its history, events.
    Log,
    /// The read models: lists, reports.
    Query,
    /// What anyone may ask for.
    Public,
    /// The end of a client that follows live.
    Stream,
}

impl Kind {
    /// What a read under `/v1` waits for.
    pub(crate) fn of(path: &str) -> Self {
        // the prefix is gone where the routes are nested
        let path = path.strip_prefix("/v1").unwrap_or(path);
        let of_a_ticket = path.strip_prefix("/tickets/").is_some_and(|rest| !rest.is_empty());
        if of_a_ticket || path == "/events" { Self::Log } else { Self::Query }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Log => "log",
            Self::Query => "query",
            Self::Public => "public",
            Self::Stream => "stream",
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

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

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
        shed.add(0, &[KeyValue::new("kind", Kind::Command.as_str())]);
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

    /// Takes a place, if there is one.
    pub(crate) fn enter(&self, kind: Kind) -> Result<Place, Problem> {
        let places = match kind {
            Kind::Command => &self.commands,
            Kind::Log => &self.log,
            Kind::Query => &self.queries,
            Kind::Public => &self.public,
            Kind::Stream => &self.streams,
        };
        places.clone().try_acquire_owned().map(Place).map_err(|_| self.full(kind.as_str(), "Too many requests"))
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

/// Around what anyone may ask for.
pub(crate) async fn public(State(app): State<App>, request: Request, next: Next) -> Response {
    match app.admission.enter(Kind::Public) {
        Ok(_place) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_told_apart_by_what_they_wait_for() {
        for (path, kind) in [
            ("/v1/tickets", Kind::Query),
            ("/v1/reports/queues", Kind::Query),
            ("/v1/tickets/x", Kind::Log),
            ("/tickets/x/history", Kind::Log),
            ("/v1/events", Kind::Log),
            ("/events", Kind::Log),
            ("/tickets", Kind::Query),
        ] {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
    }

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
