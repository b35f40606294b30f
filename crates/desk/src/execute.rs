//! Executes commands on tickets. The loop is `eventsourcing::Executor`'s; what a command needs is decided here.

pub(crate) mod aliases;
mod facts;
pub(crate) mod record;
pub(crate) mod resolution;
mod slots;
mod ticket_commands;

use std::sync::Arc;

use eventsourcing::Precondition;
use eventstore::{Position, Version};
use ticket_aggregate::TicketId;
use tracing::Instrument;

use crate::{Desk, DeskError, Request, VersionedTicket};
use shared_kernel::Principal;
use ticket_commands::TicketCommands;

/// How many of the events in between are named to whoever expected an older version.
const BETWEEN: usize = 200;

/// What a request came to.
#[derive(Clone, Debug)]
pub struct CommandOutcome {
    /// The ticket after it: the one commanded, or the follow-up that was opened instead.
    pub ticket: Arc<VersionedTicket>,
    /// The position of the ticket's last event then.
    pub position: Position,
    /// How many events were recorded, on all tickets.
    pub events: usize,
    /// The status that was answered the first time, if this repeats that answer.
    pub replayed: Option<i16>,
}

impl Desk {
    /// Executes a request. The answer comes once its events are committed.
    ///
    /// The checks come in this order: a repeated idempotency key is answered again, whatever else is so; the ticket must
    /// be there for the caller; they must be allowed to; the precondition must hold; the rules must accept the commands.
    pub async fn execute(&self, mut request: Request) -> Result<CommandOutcome, DeskError> {
        let command = request.commands.first().map_or("", |command| command.kind().as_str());
        let span = tracing::info_span!("execute", command, ticket = %request.ticket);
        let envelope = request.call.envelope();
        let (ticket, precondition) = (request.ticket, request.precondition.clone());
        let caller = request.caller.clone();
        let mut commands = TicketCommands::new(self, &mut request);
        match self.executor.execute(&mut commands, &envelope).instrument(span).await {
            Ok(done) => Ok(CommandOutcome {
                ticket: done.record,
                position: done.position,
                events: done.events,
                replayed: done.replayed,
            }),
            Err(DeskError::PreconditionFailed { current, .. }) => {
                Err(self.what_came_between(ticket, &caller, &precondition, current).await?)
            }
            Err(error) => Err(error),
        }
    }

    /// Names the events since the newest version that the caller knew.
    async fn what_came_between(
        &self,
        ticket: TicketId,
        caller: &Principal,
        precondition: &Precondition,
        current: Version,
    ) -> Result<DeskError, DeskError> {
        let newest = match precondition {
            Precondition::Any => None,
            Precondition::OneOf(versions) => versions.iter().copied().filter(|known| *known < current).max(),
        };
        let Some(newest) = newest else {
            return Ok(DeskError::PreconditionFailed { current, between: Vec::new(), more: None });
        };
        let (now, between, more) = self.history_page(ticket, caller, newest, BETWEEN, |_| true).await?;
        Ok(DeskError::PreconditionFailed { current: now.version, between, more })
    }
}
