//! The use case behind every request on a ticket.

use eventsourcing::{Handle, OnAliasTaken, Records, UnitOfWork, UseCase};
use eventstore::{CommandId, StreamId};
use person_aggregate::IdentityKind;
use ticket_aggregate::{Command, Context, Open, Rejection, Ticket, TicketId, TicketNumber, permitted};

use super::aliases::{NUMBER_SCOPE, opening_aliases};
use super::record;
use super::resolution::{Resolved, Unresolved};
use super::slots::Held;
use crate::{AsOf, Desk, DeskError, Request, TicketCommand};

/// Commands on one ticket, decided one after the other, each on what the one before it leaves.
pub(super) struct TicketCommands<'a> {
    pub(super) desk: &'a Desk,
    pub(super) request: &'a mut Request,
    /// The request's commands by ids.
    pub(super) resolved: Resolved,
    /// Why they have no ids: said once the caller is known to see the ticket.
    unresolved: Option<Unresolved>,
    /// The ticket that a requester's reply to a closed one opens. Drawn once, however often it is decided.
    follow_up: Option<(TicketId, TicketNumber)>,
}

impl<'a> TicketCommands<'a> {
    pub(super) async fn new(desk: &'a Desk, request: &'a mut Request) -> Result<Self, DeskError> {
        let (resolved, unresolved) = match Resolved::resolve(desk, &request.commands, &mut request.call.new_id).await {
            Ok(resolved) => (resolved, None),
            Err(error) => (Resolved::default(), Some(Unresolved::try_from(error)?)),
        };
        Ok(Self { desk, request, resolved, unresolved, follow_up: None })
    }
}

impl UseCase for TicketCommands<'_> {
    type Primary = Ticket;
    type Error = DeskError;

    fn records(&self) -> &Records<Ticket> {
        &self.desk.tickets
    }

    fn primary(&self) -> TicketId {
        self.request.ticket
    }

    fn command_id(&mut self) -> CommandId {
        CommandId((self.request.new_id)())
    }

    async fn decide(&mut self, unit: &mut UnitOfWork) -> Result<(), DeskError> {
        // taken out, so that what decides can borrow the rest
        let commands = std::mem::take(&mut self.resolved.commands);
        let decided = self.decide_all(unit, &commands).await;
        self.resolved.commands = commands;
        decided
    }

    /// A number that somebody else took meanwhile is replaced by another, and a person who was registered meanwhile is the
    /// one that is meant; a source id is not replaced.
    async fn alias_taken(&mut self, scope: String, holder: StreamId) -> Result<OnAliasTaken, DeskError> {
        if scope == NUMBER_SCOPE {
            let number = self.desk.next_number().await?;
            match (self.resolved.commands.first_mut(), &mut self.follow_up) {
                (_, Some((_, drawn))) => *drawn = number,
                (Some(Command::Open(open)), None) => open.number = number,
                _ => {}
            }
            return Ok(OnAliasTaken::Retry);
        }
        if scope == IdentityKind::Email.scope() {
            let number = match self.resolved.commands.first() {
                Some(Command::Open(open)) => Some(open.number),
                _ => None,
            };
            self.resolved = Resolved::resolve(self.desk, &self.request.commands, &mut self.request.call.new_id).await?;
            if let (Some(Command::Open(open)), Some(number)) = (self.resolved.commands.first_mut(), number) {
                open.number = number;
            }
            return Ok(OnAliasTaken::Retry);
        }
        let holder = self.desk.ticket(TicketId(holder.0), AsOf::Now, &self.request.caller).await;
        Err(DeskError::SourceIdUsed { ticket: holder.ok().map(|ticket| ticket.id) })
    }
}

impl TicketCommands<'_> {
    async fn decide_all(&mut self, unit: &mut UnitOfWork, commands: &[Command]) -> Result<(), DeskError> {
        let id = self.request.ticket;
        let opens = matches!(self.request.commands.first(), Some(TicketCommand::Open { .. }));
        if let Some(unresolved) = self.unresolved.clone().filter(|_| opens) {
            return Err(unresolved.into());
        }
        let ticket = if let Some(Command::Open(open)) = commands.first() {
            let ticket = unit.create(&self.desk.tickets, id).await?;
            self.take_aliases(unit, ticket, open);
            ticket
        } else {
            self.load(unit, commands).await?
        };
        if let Some(unresolved) = self.unresolved.clone() {
            return Err(unresolved.into());
        }
        unit.set_primary(ticket);
        self.register_newcomers(unit).await?;
        for (index, command) in commands.iter().enumerate() {
            let context = self.context(unit, ticket, id, command).await?;
            let before = Held::of(unit.state(ticket));
            match unit.decide(ticket, command, &context) {
                Ok(0) => {}
                Ok(_) => {
                    self.move_slot(unit, ticket, id, before, index).await?;
                    self.on_the_other_ticket(unit, id, command, index, &context).await?;
                }
                Err(Rejection::FollowUpNeeded { .. }) if commands.len() == 1 && self.request.may_open_follow_up => {
                    return self.follow_up(unit, ticket, command).await;
                }
                Err(rejection) => return Err(DeskError::Rejected { index, rejection }),
            }
        }
        Ok(())
    }

    /// Who is named by an address that led to nobody becomes a person in the same unit.
    async fn register_newcomers(&self, unit: &mut UnitOfWork) -> Result<(), DeskError> {
        for newcomer in &self.resolved.newcomers {
            let person = unit.create(&self.desk.people, newcomer.id).await?;
            let context = person_aggregate::Context { person_id: newcomer.id };
            record::decide(unit, person, &[newcomer.registration()], &context)?;
        }
        Ok(())
    }

    /// Loads the ticket, if it is there for the caller; asks whether they may, then holds the precondition against it. Of
    /// several commands the first is asked for here: the others meet what it leaves.
    async fn load(&self, unit: &mut UnitOfWork, commands: &[Command]) -> Result<Handle<Ticket>, DeskError> {
        let Request { call, ticket, commands: named, .. } = &*self.request;
        let ticket = unit.load(&self.desk.tickets, *ticket).await?.ok_or(DeskError::NotFound)?;
        let known = unit.loaded(ticket).filter(|known| known.state.is_visible_to(&call.caller));
        let known = known.ok_or(DeskError::NotFound)?;
        for (index, kind) in named.iter().map(TicketCommand::kind).enumerate() {
            if !kind.is_open_to(call.caller.role) {
                let rejection = Rejection::Forbidden { command: kind, role: call.caller.role };
                return Err(DeskError::Rejected { index, rejection });
            }
        }
        if let Some(first) = named.first() {
            permitted(&known.state, first.kind(), commands.first(), &call.caller)
                .map_err(|rejection| DeskError::Rejected { index: 0, rejection })?;
        }
        call.precondition.check(known.version)?;
        Ok(ticket)
    }

    /// A link is recorded on both tickets, in one unit.
    async fn on_the_other_ticket(
        &self,
        unit: &mut UnitOfWork,
        id: TicketId,
        command: &Command,
        index: usize,
        context: &Context,
    ) -> Result<(), DeskError> {
        let (other, inverse) = match command {
            Command::Link { kind, other } => (*other, Command::Link { kind: kind.inverse(), other: id }),
            Command::Unlink { kind, other } => (*other, Command::Unlink { kind: kind.inverse(), other: id }),
            _ => return Ok(()),
        };
        let there = unit.load(&self.desk.tickets, other).await?.ok_or(DeskError::OtherNotFound { index })?;
        if unit.loaded(there).is_none_or(|there| !there.state.is_visible_to(&self.request.caller)) {
            return Err(DeskError::OtherNotFound { index });
        }
        let context = Context { ticket_id: other, now: unit.time(there), ..context.clone() };
        unit.decide(there, &inverse, &context).map_err(|rejection| DeskError::Rejected { index, rejection })?;
        unit.demand(there);
        Ok(())
    }

    /// The requester has written to a ticket that is over: a new one goes on from it.
    async fn follow_up(
        &mut self,
        unit: &mut UnitOfWork,
        closed: Handle<Ticket>,
        reply: &Command,
    ) -> Result<(), DeskError> {
        let (Command::Reply { body, source_id }, Some(before)) = (reply, unit.loaded(closed).cloned()) else {
            return Err(DeskError::NotFound);
        };
        let (id, number) = match self.follow_up {
            Some(drawn) => drawn,
            None => (TicketId((self.request.new_id)()), self.desk.next_number().await?),
        };
        self.follow_up = Some((id, number));
        let author = &self.request.caller.actor;
        let open = Open::follow_up(before.id, &before.state, number, author, body.clone(), source_id.clone());
        // it goes on from a ticket that is over: should that change meanwhile, it is decided anew
        unit.demand(closed);
        let ticket = unit.create(&self.desk.tickets, id).await?;
        unit.set_primary(ticket);
        self.take_aliases(unit, ticket, &open);
        let command = Command::Open(open);
        let context = self.context(unit, ticket, id, &command).await?;
        let decided = unit.decide(ticket, &command, &context);
        decided.map_err(|rejection| DeskError::Rejected { index: 0, rejection })?;
        Ok(())
    }

    /// A new ticket takes its number, and the id that it has where it came from.
    fn take_aliases(&self, unit: &mut UnitOfWork, ticket: Handle<Ticket>, open: &Open) {
        let opener = self.request.caller.to_ref();
        for (scope, name) in opening_aliases(open.number, &open.channel, open.source_id.as_deref(), &opener) {
            unit.take_alias(scope, name, ticket);
        }
    }
}
