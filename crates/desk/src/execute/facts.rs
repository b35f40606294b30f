//! The facts that a decision on a ticket needs from outside of its stream.

use std::collections::{BTreeMap, BTreeSet};

use eventsourcing::{Handle, UnitOfWork};
use shared_kernel::{Actor, ActorKind, AgentId, IdentityId, PersonId};
use ticket_aggregate::{Command, CommandKind, Context, MessageId, Status, Ticket, TicketId};

use super::ticket_commands::TicketCommands;
use crate::DeskError;

impl TicketCommands<'_> {
    /// The context of a command. Blocking tickets and agents that it reads are demanded at the versions that were read;
    /// people are facts that may be a little old.
    pub(super) async fn context(
        &mut self,
        unit: &mut UnitOfWork,
        ticket: Handle<Ticket>,
        id: TicketId,
        command: &Command,
    ) -> Result<Context, DeskError> {
        let mut context = Context {
            now: unit.time(ticket),
            actor: self.request.caller.actor.clone(),
            ticket_id: id,
            message_id: MessageId((self.request.new_id)()),
            reopen_window: self.desk.policy.reopen_window,
            reopen_until: self.request.reopen_until,
            identities: BTreeMap::new(),
            assignee_teams: None,
            assignee_available: true,
            open_blockers: Vec::new(),
        };
        let Some(state) = unit.state(ticket) else { return Ok(context) };
        let (team, holder) = (state.team, state.assignee);
        let resumes = may_resume(state.status, command, &context.actor);
        let mut blockers = Vec::new();
        let mut correspondents = Vec::new();
        match command {
            Command::Resolve { .. } => blockers.extend(state.blocked_by()),
            Command::Reply { .. } if context.actor.kind() != ActorKind::Requester => {
                correspondents.extend(state.correspondents());
            }
            _ => {}
        }
        let assignee = match command {
            Command::Assign { assignee } => Some(*assignee),
            Command::Resolve { .. } if holder.is_none() => context.actor.agent(),
            _ => None,
        };
        if let (Some(agent), true) = (assignee, team.is_some()) {
            let agent = self.agent(unit, agent).await?;
            unit.demand(agent);
            context.assignee_teams = unit.state(agent).map(|agent| agent.teams.clone());
        }
        if let (Some(agent), true) = (holder, resumes) {
            let agent = self.agent(unit, agent).await?;
            unit.demand(agent);
            context.assignee_available = unit.state(agent).is_some_and(|agent| agent.is_available_for(team));
        }
        context.open_blockers = self.open_blockers(unit, blockers).await?;
        context.identities = self.identities(correspondents).await?;
        Ok(context)
    }

    /// An agent whom a ticket names: part of the unit, since a slot may have to be reserved or released.
    pub(super) async fn agent(
        &self,
        unit: &mut UnitOfWork,
        id: AgentId,
    ) -> Result<Handle<agent_aggregate::Agent>, DeskError> {
        unit.load(&self.desk.agents, id).await?.ok_or(DeskError::NoSuchRecord { kind: "agent" })
    }

    /// The addresses that a mail to these people goes to now: one for each person, also if some were merged.
    async fn identities(&self, people: Vec<PersonId>) -> Result<BTreeMap<PersonId, IdentityId>, DeskError> {
        let (mut identities, mut named) = (BTreeMap::new(), BTreeSet::new());
        for id in people {
            if !named.insert(self.desk.canonical(id).await?.unwrap_or(id)) {
                continue;
            }
            let person = self.desk.people.recent(id).await?;
            let primary = person.as_ref().and_then(|person| person.state.primary_email());
            identities.extend(primary.map(|(identity, _)| (id, identity)));
        }
        Ok(identities)
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

/// Whether the command may make a waiting ticket active again, which then goes back to its agent if they are there.
fn may_resume(status: Status, command: &Command, actor: &Actor) -> bool {
    let waits = matches!(status, Status::Pending | Status::OnHold | Status::Resolved);
    waits
        && match command.kind() {
            CommandKind::Reply => actor.kind() == ActorKind::Requester,
            CommandKind::Resume | CommandKind::Wake | CommandKind::Reopen => true,
            _ => false,
        }
}
