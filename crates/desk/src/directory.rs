//! Names to records, and back.

use moka::sync::Cache;
use shared_kernel::{AgentId, Handle, PersonId, TeamId};

use crate::names::{AgentName, Name, PersonName, TeamName};
use crate::{Desk, DeskError};
use person_aggregate::IdentityValue;

/// How many people one may have been merged into one after the other before their trail is given up.
const LONGEST_TRAIL: usize = 100;

/// What is remembered of handles. They never change hands: what is known stays so.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    agents: Cache<Handle, AgentId>,
    teams: Cache<Handle, TeamId>,
    agent_handles: Cache<AgentId, Handle>,
    team_handles: Cache<TeamId, Handle>,
}

impl Directory {
    pub(crate) fn new() -> Self {
        const MOST: u64 = 100_000;
        Self {
            agents: Cache::new(MOST),
            teams: Cache::new(MOST),
            agent_handles: Cache::new(MOST),
            team_handles: Cache::new(MOST),
        }
    }
}

impl Desk {
    /// The agent with that id or handle.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn agent_id(&self, name: &AgentName) -> Result<Option<AgentId>, DeskError> {
        match name {
            Name::Id(id) => Ok(self.agent_handle(*id).await?.map(|_| *id)),
            Name::Handle(handle) => {
                if let Some(id) = self.directory.agents.get(handle) {
                    return Ok(Some(id));
                }
                let found = self.store.resolve(agent_aggregate::Agent::HANDLE_SCOPE, handle.as_str()).await?;
                let found = found.map(|stream| AgentId(stream.0));
                if let Some(id) = found {
                    self.directory.agents.insert(handle.clone(), id);
                }
                Ok(found)
            }
        }
    }

    /// The team with that id or handle.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn team_id(&self, name: &TeamName) -> Result<Option<TeamId>, DeskError> {
        match name {
            Name::Id(id) => Ok(self.team_handle(*id).await?.map(|_| *id)),
            Name::Handle(handle) => {
                if let Some(id) = self.directory.teams.get(handle) {
                    return Ok(Some(id));
                }
                let found = self.store.resolve(crate::teams::HANDLE_SCOPE, handle.as_str()).await?;
                let found = found.map(|stream| TeamId(stream.0));
                if let Some(id) = found {
                    self.directory.teams.insert(handle.clone(), id);
                }
                Ok(found)
            }
        }
    }

    /// The handle of an agent.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn agent_handle(&self, id: AgentId) -> Result<Option<Handle>, DeskError> {
        if let Some(handle) = self.directory.agent_handles.get(&id) {
            return Ok(Some(handle));
        }
        let found = self.agents.recent(id).await?.map(|agent| agent.state.handle.clone());
        if let Some(handle) = &found {
            self.directory.agent_handles.insert(id, handle.clone());
        }
        Ok(found)
    }

    /// The handle of a team.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn team_handle(&self, id: TeamId) -> Result<Option<Handle>, DeskError> {
        if let Some(handle) = self.directory.team_handles.get(&id) {
            return Ok(Some(handle));
        }
        let found = self.teams.recent(id).await?.map(|team| team.state.handle.clone());
        if let Some(handle) = &found {
            self.directory.team_handles.insert(id, handle.clone());
        }
        Ok(found)
    }

    /// The person with that id or address; if they were merged into another, that one.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn person_id(&self, name: &PersonName) -> Result<Option<PersonId>, DeskError> {
        let id = match name {
            PersonName::Id(id) => *id,
            PersonName::Email(address, _) => {
                let (scope, alias) = IdentityValue::Email(address.clone()).alias();
                match self.store.resolve(scope, &alias).await? {
                    Some(stream) => PersonId(stream.0),
                    None => return Ok(None),
                }
            }
        };
        self.canonical(id).await
    }

    /// The person who stands for this one by now.
    pub(crate) async fn canonical(&self, mut id: PersonId) -> Result<Option<PersonId>, DeskError> {
        for _ in 0..LONGEST_TRAIL {
            let Some(person) = self.people.recent(id).await? else { return Ok(None) };
            match person.state.merged_into {
                Some(into) => id = into,
                None => return Ok(Some(id)),
            }
        }
        Ok(None)
    }
}
