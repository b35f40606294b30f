//! The handles of the agents and teams that records name by id.

use std::collections::{BTreeMap, BTreeSet};

use desk::DeskError;
use shared_kernel::{AgentId, Handle, TeamId};
use ticket_aggregate::Ticket;

use crate::app::App;

/// Handles by id. Each is looked up once, however often it is shown.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    agents: BTreeMap<AgentId, Handle>,
    teams: BTreeMap<TeamId, Handle>,
}

impl Handles {
    /// Of these agents and teams.
    pub(crate) async fn of(
        app: &App,
        agents: impl IntoIterator<Item = AgentId>,
        teams: impl IntoIterator<Item = TeamId>,
    ) -> Result<Self, DeskError> {
        let (agents, teams): (BTreeSet<_>, BTreeSet<_>) = (agents.into_iter().collect(), teams.into_iter().collect());
        let mut handles = Self::default();
        for id in agents {
            handles.agents.extend(app.desk.agent_handle(id).await?.map(|handle| (id, handle)));
        }
        for id in teams {
            handles.teams.extend(app.desk.team_handle(id).await?.map(|handle| (id, handle)));
        }
        Ok(handles)
    }

    /// Of the assignees and the teams of tickets.
    pub(crate) async fn of_tickets(app: &App, tickets: impl IntoIterator<Item = &Ticket>) -> Result<Self, DeskError> {
        let (agents, teams): (Vec<_>, Vec<_>) =
            tickets.into_iter().map(|ticket| (ticket.assignee, ticket.team)).unzip();
        Self::of(app, agents.into_iter().flatten(), teams.into_iter().flatten()).await
    }

    /// The agent's handle; the id of one that has no record.
    pub(crate) fn agent(&self, id: AgentId) -> String {
        self.agents.get(&id).map_or_else(|| id.to_string(), ToString::to_string)
    }

    /// The team's handle; the id of one that has no record.
    pub(crate) fn team(&self, id: TeamId) -> String {
        self.teams.get(&id).map_or_else(|| id.to_string(), ToString::to_string)
    }
}
