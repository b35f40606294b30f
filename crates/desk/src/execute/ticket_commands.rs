//! The use case behind every request on a ticket.

use eventsourcing::{Handle, Records, UnitOfWork, UseCase};
use eventstore::{CommandId, StreamId};
use person_aggregate::IdentityKind;
use ticket_aggregate::{Command, CommandKind, Context, Open, Rejection, Ticket, TicketId, TicketNumber, permitted};

use super::aliases::{NUMBER_SCOPE, opening_aliases};
use super::record;
use super::resolution::{Newcomer, Resolved};
use super::slots::Held;
use crate::{AsOf, Desk, DeskError, Request};

/// Commands on one ticket, decided one after the other, each on what the one before it leaves.
pub(super) struct TicketCommands<'a> {
    pub(super) desk: &'a Desk,
    pub(super) request: &'a mut Request,
    /// The request's commands by ids; none as long as it is not known who and what their names stand for.
    resolved: Option<Resolved>,
    /// The number that a new ticket gets instead of the one asked for, which another ticket has.
    number: Option<TicketNumber>,
    /// The ticket that a requester's reply to a closed one opens. Drawn once, however often it is decided.
    follow_up: Option<(TicketId, TicketNumber)>,
}

impl<'a> TicketCommands<'a> {
    pub(super) fn new(desk: &'a Desk, request: &'a mut Request) -> Self {
        Self { desk, request, resolved: None, number: None, follow_up: None }
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
        let ticket = self.stage(unit).await?;
        unit.set_primary(ticket);
        // names are looked up for those only who may see the ticket and may issue such commands
        let mut resolved = match self.resolved.take() {
            Some(resolved) => resolved,
            None => Resolved::resolve(self.desk, self.request).await?,
        };
        if let (Some(Command::Open(open)), Some(number)) = (resolved.commands.first_mut(), self.number) {
            open.number = number;
        }
        let decided = self.decide_all(unit, ticket, &resolved).await;
        self.resolved = Some(resolved);
        decided
    }

    /// A number that somebody else took meanwhile is replaced by another, and a person who was registered meanwhile is the
    /// one that is meant; a source id is not replaced.
    async fn alias_taken(&mut self, scope: String, holder: StreamId) -> Result<(), DeskError> {
        if scope == NUMBER_SCOPE {
            let number = self.desk.next_number().await?;
            match &mut self.follow_up {
                Some((_, drawn)) => *drawn = number,
                None => self.number = Some(number),
            }
        } else if scope == IdentityKind::Email.scope() {
            self.resolved = None;
        } else {
            let holder = self.desk.ticket(TicketId(holder.0), AsOf::Now, &self.request.caller).await;
            return Err(DeskError::SourceIdUsed { ticket: holder.ok().map(|ticket| ticket.id) });
        }
        Ok(())
    }
}

impl TicketCommands<'_> {
    /// The ticket, if it is there for the caller, or the one to be opened; and whether somebody of the caller's role may
    /// issue such commands.
    async fn stage(&self, unit: &mut UnitOfWork) -> Result<Handle<Ticket>, DeskError> {
        let Request { call, ticket, commands, .. } = &*self.request;
        let opens = commands.first().is_some_and(|command| command.kind() == CommandKind::Open);
        let ticket = if opens {
            unit.create(&self.desk.tickets, *ticket).await?
        } else {
            let ticket = unit.load(&self.desk.tickets, *ticket).await?.ok_or(DeskError::NotFound)?;
            let known = unit.loaded(ticket).filter(|known| known.state.is_visible_to(&call.caller));
            known.map(|_| ticket).ok_or(DeskError::NotFound)?
        };
        for (index, command) in commands.iter().enumerate() {
            if !command.kind().is_open_to(call.caller.role) {
                let rejection = Rejection::Forbidden { command: command.kind(), role: call.caller.role };
                return Err(DeskError::Rejected { index, rejection });
            }
        }
        Ok(ticket)
    }

    async fn decide_all(
        &mut self,
        unit: &mut UnitOfWork,
        ticket: Handle<Ticket>,
        resolved: &Resolved,
    ) -> Result<(), DeskError> {
        let (id, commands) = (self.request.ticket, &resolved.commands);
        match commands.first() {
            Some(Command::Open(open)) => self.take_aliases(unit, ticket, open),
            first => self.check_first(unit, ticket, first)?,
        }
        self.register(unit, &resolved.newcomers).await?;
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
    async fn register(&self, unit: &mut UnitOfWork, newcomers: &[Newcomer]) -> Result<(), DeskError> {
        for newcomer in newcomers {
            let person = unit.create(&self.desk.people, newcomer.id).await?;
            let context = person_aggregate::Context { person_id: newcomer.id };
            record::decide(unit, person, &[newcomer.registration()], &context)?;
        }
        Ok(())
    }

    /// Asks whether the caller may, then holds the precondition against the ticket. Of several commands the first is asked
    /// for here: the others meet what it leaves.
    fn check_first(&self, unit: &UnitOfWork, ticket: Handle<Ticket>, first: Option<&Command>) -> Result<(), DeskError> {
        let Some(known) = unit.loaded(ticket) else { return Ok(()) };
        if let Some(first) = first {
            permitted(&known.state, first.kind(), Some(first), &self.request.caller)
                .map_err(|rejection| DeskError::Rejected { index: 0, rejection })?;
        }
        Ok(self.request.precondition.check(known.version)?)
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
