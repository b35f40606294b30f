//! Given (`World::open`, `When::ok`), when (`World::when`), then (`When::ok`, `When::refused`).

use desk::{Desk, DeskError, Idempotency, PersonName, Precondition, Request, TeamName, TicketCommand};
use eventstore::Version;
use shared_kernel::DomainEvent;
use ticket_aggregate::{Command, Ticket, TicketId};

use crate::cast::hour;
use crate::world::{short, since_setup};

/// What a command came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) id: TicketId,
    pub(crate) version: i64,
    pub(crate) position: i64,
    /// How many events were recorded, on all tickets.
    pub(crate) events: usize,
    /// The status that was answered the first time.
    pub(crate) replayed: Option<i16>,
    pub(crate) ticket: Ticket,
}

/// Why the desk did not do it. `code` is that of the rejection, where the rules of a ticket reject the command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    /// Of a failed precondition: the version that the ticket is at.
    pub(crate) current: Option<i64>,
    /// Of a failed precondition: the events since the version that the caller knew.
    pub(crate) between: Vec<String>,
    /// Of a failed precondition: the version after which to read on.
    pub(crate) more: Option<i64>,
    /// Of a source id that is taken: the ticket that holds it.
    pub(crate) holder: Option<TicketId>,
}

/// A request to be executed.
pub(crate) struct When<'a> {
    pub(crate) desk: &'a Desk,
    pub(crate) request: Request,
}

impl<'a> When<'a> {
    pub(crate) fn on(self, desk: &'a Desk) -> Self {
        Self { desk, ..self }
    }

    fn with(mut self, change: impl FnOnce(&mut Request)) -> Self {
        change(&mut self.request);
        self
    }

    /// On another ticket than the one named before.
    pub(crate) fn on_ticket(self, ticket: TicketId) -> Self {
        self.with(|request| request.ticket = ticket)
    }

    /// One more command of the same request.
    pub(crate) fn and(self, command: impl Into<TicketCommand>) -> Self {
        self.with(|request| request.commands.push(command.into()))
    }

    /// Of an opening: for somebody named by an address or an id.
    pub(crate) fn requester(self, name: &str) -> Self {
        let name = name.parse().unwrap();
        self.named(|requester, _| *requester = Some(name))
    }

    /// Of an opening: into the queue of a team named by its handle.
    pub(crate) fn team(self, name: &str) -> Self {
        let name = name.parse().unwrap();
        self.named(|_, team| *team = Some(name))
    }

    fn named(self, change: impl FnOnce(&mut Option<PersonName>, &mut Option<TeamName>)) -> Self {
        self.with(|request| {
            let opening = &mut request.commands[0];
            if let TicketCommand::Plain(Command::Open(open)) = opening {
                *opening = TicketCommand::Open { open: open.clone(), requester: None, team: None };
            }
            let TicketCommand::Open { requester, team, .. } = opening else { panic!("it is no opening: {opening:?}") };
            change(requester, team);
        })
    }

    /// A reply to a ticket that is over is refused.
    pub(crate) fn no_follow_up(self) -> Self {
        self.with(|request| request.may_open_follow_up = false)
    }

    /// As something that has happened elsewhere.
    pub(crate) fn imported(self) -> Self {
        self.with(|request| request.is_import = true)
    }

    pub(crate) fn at(self, hours: i64) -> Self {
        self.with(|request| request.now = hour(hours))
    }

    pub(crate) fn if_version(self, versions: &[i64]) -> Self {
        let versions = versions.iter().copied().map(Version).collect();
        self.with(|request| request.precondition = Precondition::OneOf(versions))
    }

    /// With an idempotency key, for a request with this fingerprint; a success is answered with 201.
    pub(crate) fn key(self, key: &str, fingerprint: &str) -> Self {
        let idempotency = Idempotency { key: key.into(), fingerprint: fingerprint.into(), status: 201 };
        self.with(|request| request.idempotency = Some(idempotency))
    }

    pub(crate) fn because(self, cause: serde_json::Value, correlation_id: &str, traceparent: &str) -> Self {
        self.with(|request| {
            request.cause = Some(cause);
            request.correlation_id = Some(correlation_id.into());
            request.traceparent = Some(traceparent.into());
        })
    }

    pub(crate) fn reopen_until(self, hours: i64) -> Self {
        self.with(|request| request.reopen_until = Some(hour(hours)))
    }

    pub(crate) async fn run(self) -> Result<Outcome, Refusal> {
        let done = self.desk.execute(self.request).await.map_err(refusal)?;
        Ok(Outcome {
            id: done.ticket.id,
            version: done.ticket.version.0,
            position: since_setup(done.position),
            events: done.events,
            replayed: done.replayed,
            ticket: done.ticket.state.clone(),
        })
    }

    pub(crate) async fn ok(self) -> Outcome {
        self.run().await.unwrap()
    }

    pub(crate) async fn refused(self) -> Refusal {
        self.run().await.unwrap_err()
    }

    /// It is refused with this code.
    pub(crate) async fn then_refused(self, code: &str) {
        assert_eq!(self.refused().await.code, code);
    }
}

pub(crate) fn refusal(error: DeskError) -> Refusal {
    let code = |code: &str| Refusal { code: code.into(), ..Refusal::default() };
    match error {
        DeskError::NotFound => code("not_found"),
        DeskError::NoSuchVersion => code("no_such_version"),
        DeskError::Rejected { rejection, .. } => code(rejection.code()),
        DeskError::KeyReused => code("key_reused"),
        DeskError::OtherNotFound { .. } => code("other_not_found"),
        DeskError::SourceIdUsed { ticket } => Refusal { holder: ticket, ..code("source_id_used") },
        DeskError::PreconditionFailed { current, between, more } => Refusal {
            current: Some(current.0),
            between: between.iter().map(|entry| short(entry.event.event_type())).collect(),
            more: more.map(|version| version.0),
            ..code("precondition_failed")
        },
        DeskError::Corrupt { .. } => code("corrupt"),
        DeskError::UnknownName { unknown, .. } => code(&format!("unknown_{}", unknown.field)),
        DeskError::PersonBlocked { .. } => code("person_blocked"),
        DeskError::NoSuchRecord { kind } => code(&format!("no_such_{kind}")),
        DeskError::RecordRejected { rejection, .. } => code(rejection.code),
        DeskError::NameUsed { scope, .. } => code(&format!("{scope}_used")),
        error => panic!("{error:?}"),
    }
}
