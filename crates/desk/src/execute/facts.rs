//! The facts that a decision on a ticket needs from outside of its stream.

use eventsourcing::{Handle, UnitOfWork};
use ticket_aggregate::{Command, Context, MessageId, Status, Ticket, TicketId};

use super::ticket_commands::TicketCommands;
use crate::DeskError;

impl TicketCommands<'_> {
    /// The context of a command. Blocking tickets that it reads are demanded at the versions that were read.
    pub(super) async fn context(
        &mut self,
        unit: &mut UnitOfWork,
        ticket: Handle<Ticket>,
        id: TicketId,
        command: &Command,
    ) -> Result<Context, DeskError> {
        let mut context = Context {
            now: unit.now(),
            actor: self.request.caller.actor(),
            ticket_id: id,
            message_id: MessageId((self.request.new_id)()),
            reopen_window: self.desk.policy.reopen_window,
            reopen_until: self.request.reopen_until,
            assignee_teams: None,
            open_blockers: Vec::new(),
        };
        let Some(state) = unit.state(ticket) else { return Ok(context) };
        let (has_team, blockers) = (state.team.is_some(), state.blocked_by().collect::<Vec<_>>());
        let assignee = match command {
            Command::Assign { assignee } => Some(assignee.as_str()),
            Command::Resolve { .. } if state.assignee.is_none() => Some(context.actor.id.as_str()),
            _ => None,
        };
        if let (Some(agent), true) = (assignee, has_team) {
            context.assignee_teams = self.desk.keys.teams_of(agent).await?;
        }
        if let Command::Resolve { .. } = command {
            context.open_blockers = self.open_blockers(unit, blockers).await?;
            context.now = unit.now();
        }
        Ok(context)
    }

    async fn open_blockers(&self, unit: &mut UnitOfWork, blockers: Vec<TicketId>) -> Result<Vec<TicketId>, DeskError> {
        let mut open = Vec::new();
        for blocker in blockers {
            let Some(handle) = unit.load(&self.desk.tickets, blocker).await? else { continue };
            unit.demand(handle);
            if unit.state(handle).is_some_and(|it| !matches!(it.status, Status::Resolved | Status::Closed)) {
                open.push(blocker);
            }
        }
        Ok(open)
    }
}
