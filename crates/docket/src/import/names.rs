//! The agents, teams and people that rows name: registered when they are first met.

use std::collections::{BTreeSet, HashMap};

use agent_aggregate::Agent;
use chrono::{DateTime, Utc};
use desk::{AsOf, Call, Desk, DeskError, Name, NewAgent, PersonName, TicketCommand};
use serde_json::json;
use shared_kernel::{Actor, AgentId, Handle, PersonId, Role, TeamId};
use ticket_aggregate::{Command, Open, Ticket};

use super::{SOURCE_KIND, ids, importer};

/// What names lead to, as far as rows have named it. An agent's capacity is unlimited until somebody sets one.
pub(super) struct Names<'a> {
    desk: &'a Desk,
    source: &'a str,
    agents: HashMap<Handle, Known>,
    teams: HashMap<Handle, TeamId>,
}

struct Known {
    agent: AgentId,
    person: PersonId,
    teams: BTreeSet<TeamId>,
}

/// The row that names something.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) number: u64,
    pub(super) time: DateTime<Utc>,
}

impl<'a> Names<'a> {
    pub(super) fn new(desk: &'a Desk, source: &'a str) -> Self {
        Self { desk, source, agents: HashMap::new(), teams: HashMap::new() }
    }

    /// The agent who acts in a row.
    pub(super) async fn actor(&mut self, handle: &Handle, role: Role, row: Row) -> Result<Actor, DeskError> {
        let known = self.agent(handle, None, row).await?;
        Ok(Actor::staff(role, known.agent, known.person))
    }

    /// Registers whom and what the commands to a ticket name, and gives the commands by ids. Whoever gets the ticket joins
    /// its team: so it was in the old system.
    pub(super) async fn commands(
        &mut self,
        commands: &[TicketCommand],
        before: Option<&Ticket>,
        actor: &Handle,
        row: Row,
    ) -> Result<Vec<Command>, DeskError> {
        let mut team = before.and_then(|ticket| ticket.team);
        let mut is_assigned = before.is_some_and(|ticket| ticket.assignee.is_some());
        let mut by_ids = Vec::new();
        for command in commands {
            by_ids.push(match command {
                TicketCommand::Plain(command) => {
                    if matches!(command, Command::Resolve { .. }) && !is_assigned {
                        // who resolves a ticket that nobody has takes it
                        self.agent(actor, team, row).await?;
                    }
                    command.clone()
                }
                TicketCommand::Open { open, requester, team: queue } => {
                    team = match queue {
                        Some(name) => Some(self.team(name, row).await?),
                        None => open.team,
                    };
                    let requester = match requester {
                        Some(name) => Some(self.person(name, row).await?),
                        None => open.requester,
                    };
                    Command::Open(Open { requester, team, ..open.clone() })
                }
                TicketCommand::Assign { assignee, .. } => {
                    is_assigned = true;
                    let assignee = match assignee {
                        Name::Id(id) => *id,
                        Name::Handle(handle) => self.agent(handle, team, row).await?.agent,
                    };
                    Command::Assign { assignee }
                }
                TicketCommand::Route { team: name } => {
                    let to = self.team(name, row).await?;
                    is_assigned &= team == Some(to);
                    team = Some(to);
                    Command::Route { team: to }
                }
                TicketCommand::Follow { follower } => Command::Follow { follower: self.person(follower, row).await? },
                TicketCommand::Unfollow { follower } => {
                    Command::Unfollow { follower: self.person(follower, row).await? }
                }
                TicketCommand::ChangeRequester { requester, reason } => {
                    Command::ChangeRequester { requester: self.person(requester, row).await?, reason: reason.clone() }
                }
            });
        }
        Ok(by_ids)
    }

    async fn agent(&mut self, handle: &Handle, team: Option<TeamId>, row: Row) -> Result<&Known, DeskError> {
        let is_known = |known: &Known| team.is_none_or(|team| known.teams.contains(&team));
        if !self.agents.get(handle).is_some_and(is_known) {
            let agent = NewAgent { teams: team.into_iter().collect(), ..NewAgent::named(handle.clone()) };
            let call = || call(self.source, "agent", handle.as_str(), row);
            let id = self.desk.ensure_agent(agent, call).await?;
            let record = self.desk.record::<Agent>(id, AsOf::Now).await?;
            let (person, teams) = (record.state.person, record.state.teams.clone());
            self.agents.insert(handle.clone(), Known { agent: id, person, teams });
        }
        self.agents.get(handle).ok_or(DeskError::NoSuchRecord { kind: "agent" })
    }

    async fn team(&mut self, name: &Name<TeamId>, row: Row) -> Result<TeamId, DeskError> {
        let handle = match name {
            Name::Id(id) => return Ok(*id),
            Name::Handle(handle) => handle,
        };
        if let Some(known) = self.teams.get(handle) {
            return Ok(*known);
        }
        let id = self.desk.ensure_team(handle, call(self.source, "team", handle.as_str(), row)).await?;
        self.teams.insert(handle.clone(), id);
        Ok(id)
    }

    async fn person(&self, name: &PersonName, row: Row) -> Result<PersonId, DeskError> {
        match name {
            PersonName::Id(id) => Ok(*id),
            PersonName::Email(address, shown) => {
                let shown = shown.as_deref().and_then(|name| person_aggregate::PersonName::parse(name).ok());
                let call = call(self.source, "person", address.key(), row);
                self.desk.ensure_person(address, shown, call).await
            }
        }
    }
}

/// What is registered because of a row: at its time, by the import, with ids that every run derives again.
fn call(source: &str, kind: &'static str, name: &str, row: Row) -> Call {
    let mut call = Call::new(importer(), row.time, ids::of_name(source, kind, name, row.time));
    call.cause = Some(json!({ "kind": SOURCE_KIND, "source": source, "row": row.number }));
    call
}
