//! The slots of agents: reserved and released in the unit of the command that makes a ticket need one or no more.

use agent_aggregate::{Command, Override};
use eventsourcing::{Handle, UnitOfWork};
use shared_kernel::AgentId;
use ticket_aggregate::{Ticket, TicketId};

use super::ticket_commands::TicketCommands;
use crate::{DeskError, TicketCommand};

/// How much of an agent's capacity a ticket takes.
const WEIGHT: u32 = 1;

/// Who needed a slot for the ticket before a command, and who had the ticket.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    occupied: Option<AgentId>,
    assignee: Option<AgentId>,
}

impl Held {
    pub(super) fn of(ticket: Option<&Ticket>) -> Self {
        Self { occupied: ticket.and_then(Ticket::occupies), assignee: ticket.and_then(|ticket| ticket.assignee) }
    }
}

impl TicketCommands<'_> {
    /// Moves the ticket's slot to where it belongs after the command with that index.
    pub(super) async fn move_slot(
        &self,
        unit: &mut UnitOfWork,
        ticket: Handle<Ticket>,
        id: TicketId,
        before: Held,
        index: usize,
    ) -> Result<(), DeskError> {
        let needed = unit.state(ticket).and_then(Ticket::occupies);
        if before.occupied == needed {
            return Ok(());
        }
        if let Some(agent) = before.occupied {
            self.on_agent(unit, agent, &Command::Release { ticket: id }, index).await?;
        }
        if let Some(agent) = needed {
            let over_capacity = if before.assignee == Some(agent) {
                Some(Override::Returned)
            } else if self.may_exceed(index) {
                Some(Override::Manual)
            } else {
                None
            };
            let reserve = Command::Reserve { ticket: id, weight: WEIGHT, over_capacity };
            self.on_agent(unit, agent, &reserve, index).await?;
        }
        Ok(())
    }

    /// A router is bound by the capacity. What is imported has happened: no capacity bars it.
    fn may_exceed(&self, index: usize) -> bool {
        self.request.is_import
            || matches!(self.request.commands.get(index), Some(TicketCommand::Assign { over_capacity: true, .. }))
    }

    async fn on_agent(
        &self,
        unit: &mut UnitOfWork,
        agent: AgentId,
        command: &Command,
        index: usize,
    ) -> Result<(), DeskError> {
        let agent = self.agent(unit, agent).await?;
        unit.decide(agent, command, &())
            .map(drop)
            .map_err(|rejection| DeskError::RecordRejected { index, rejection: rejection.into() })
    }
}
