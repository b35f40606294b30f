//! The use case behind every request on a ticket.

use eventsourcing::{Handle, OnAliasTaken, Records, UnitOfWork, UseCase};
use eventstore::{CommandId, StreamId};
use sha2::{Digest, Sha256};
use shared_kernel::Role;
use ticket_aggregate::{Command, Context, Open, Rejection, Ticket, TicketId, TicketNumber, permitted};

use crate::numbers::{self, number_alias};
use crate::{AsOf, Desk, DeskError, Request};

/// Commands on one ticket, decided one after the other, each on what the one before it leaves.
pub(super) struct TicketCommands<'a> {
    pub(super) desk: &'a Desk,
    pub(super) request: &'a mut Request,
    /// The ticket that a requester's reply to a closed one opens. Drawn once, however often it is decided.
    follow_up: Option<(TicketId, TicketNumber)>,
}

impl<'a> TicketCommands<'a> {
    pub(super) fn new(desk: &'a Desk, request: &'a mut Request) -> Self {
        Self { desk, request, follow_up: None }
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
        let commands = std::mem::take(&mut self.request.commands);
        let decided = self.decide_all(unit, &commands).await;
        self.request.commands = commands;
        decided
    }

    /// A number that somebody else took meanwhile is replaced by another; a source id is not.
    async fn alias_taken(&mut self, scope: String, holder: StreamId) -> Result<OnAliasTaken, DeskError> {
        if scope == numbers::SCOPE {
            let number = self.desk.next_number().await?;
            match (self.request.commands.first_mut(), &mut self.follow_up) {
                (_, Some((_, drawn))) => *drawn = number,
                (Some(Command::Open(open)), None) => open.number = number,
                _ => {}
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
        let ticket = if let Some(Command::Open(open)) = commands.first() {
            let ticket = unit.create(&self.desk.tickets, id).await?;
            self.name(unit, ticket, open);
            ticket
        } else {
            self.load(unit, commands).await?
        };
        for (index, command) in commands.iter().enumerate() {
            let context = self.context(unit, ticket, id, command).await?;
            match unit.decide(ticket, command, &context) {
                Ok(0) => {}
                Ok(_) => self.on_the_other_ticket(unit, id, command, index, &context).await?,
                Err(Rejection::FollowUpNeeded { .. }) if commands.len() == 1 && self.request.may_open_follow_up => {
                    return self.follow_up(unit, ticket, command).await;
                }
                Err(rejection) => return Err(DeskError::Rejected { index, rejection }),
            }
        }
        Ok(())
    }

    /// Loads the ticket, if it is there for the caller; asks whether they may, then holds the precondition against it. Of
    /// several commands the first is asked for here: the others meet what it leaves.
    async fn load(&self, unit: &mut UnitOfWork, commands: &[Command]) -> Result<Handle<Ticket>, DeskError> {
        let Request { caller, precondition, ticket, .. } = &*self.request;
        let ticket = unit.load(&self.desk.tickets, *ticket).await?.ok_or(DeskError::NotFound)?;
        let known = unit.loaded(ticket).filter(|known| known.state.is_visible_to(caller)).ok_or(DeskError::NotFound)?;
        for (index, command) in commands.iter().enumerate() {
            if !command.kind().is_open_to(caller.role) {
                let rejection = Rejection::Forbidden { command: command.kind(), role: caller.role };
                return Err(DeskError::Rejected { index, rejection });
            }
        }
        if let Some(first) = commands.first() {
            permitted(&known.state, first.kind(), Some(first), &caller.actor())
                .map_err(|rejection| DeskError::Rejected { index: 0, rejection })?;
        }
        precondition.check(known.version)?;
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
        let context = Context { ticket_id: other, now: unit.now(), ..context.clone() };
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
        let author = self.request.caller.actor();
        let open = Open::follow_up(before.id, &before.state, number, &author, body.clone(), source_id.clone());
        // it goes on from a ticket that is over: should that change meanwhile, it is decided anew
        unit.demand(closed);
        let ticket = unit.create(&self.desk.tickets, id).await?;
        unit.set_primary(ticket);
        self.name(unit, ticket, &open);
        let command = Command::Open(open);
        let context = self.context(unit, ticket, id, &command).await?;
        let decided = unit.decide(ticket, &command, &context);
        decided.map_err(|rejection| DeskError::Rejected { index: 0, rejection })?;
        Ok(())
    }

    /// A new ticket takes its number, and the id that it has where it came from.
    fn name(&self, unit: &mut UnitOfWork, ticket: Handle<Ticket>, open: &Open) {
        unit.take_alias(numbers::SCOPE, number_alias(open.number), ticket);
        if let Some(source_id) = &open.source_id {
            unit.take_alias(self.source_scope(open), indexable(source_id), ticket);
        }
    }

    /// Source ids are unique within a channel. Those of requesters are within the requester's own, so that nobody can
    /// bar an import or a mail, or find out what is there.
    fn source_scope(&self, open: &Open) -> String {
        match self.request.caller.role {
            Role::Requester => format!("requester-source:{}:{}", self.request.caller.id, open.channel),
            Role::Agent | Role::Lead | Role::Admin | Role::System => format!("source:{}", open.channel),
        }
    }
}

/// PostgreSQL indexes rows of up to 2,704 bytes, and a thousand characters may have 4,000: a long name is known by its
/// digest.
fn indexable(name: &str) -> String {
    const LONGEST: usize = 1_024;
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let digest = Sha256::digest(name);
    digest.iter().fold(String::from("sha256:"), |text, byte| text + &format!("{byte:02x}"))
}
