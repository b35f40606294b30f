//! The handles of the agents and teams that records name by id.

use std::collections::{BTreeMap, BTreeSet};

use desk::{AgentName, DeskError, Name};
use shared_kernel::{AgentId, Handle, TeamId};
use ticket_aggregate::Ticket;

use crate::app::App;
use crate::problem::{FieldError, at};

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

/// The handle of a new record. What paths and filters take for something else can't be one.
pub(crate) fn parse_handle(text: &str) -> Result<Handle, FieldError> {
    match at("/handle", text.parse::<AgentName>())? {
        Name::Id(_) => Err(FieldError::new("/handle", "must not have the form of an id")),
        Name::Handle(handle) if handle.as_str() == "none" => {
            Err(FieldError::new("/handle", "must not be none, which stands for nobody in filters"))
        }
        Name::Handle(handle) => Ok(handle),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::EXAMPLE_ID;

    #[test]
    fn handle_is_neither_an_id_nor_none() {
        assert_eq!(parse_handle("ada").map(|handle| handle.to_string()), Ok("ada".to_owned()));
        for bad in [EXAMPLE_ID, "none", " none ", "", "a\nb"] {
            assert_eq!(parse_handle(bad).map_err(|fault| fault.pointer), Err("/handle".to_owned()), "{bad}");
        }
    }
}
