//! The filters of the list of agents.

use agent_aggregate::{Agent, Presence, Skill};
use serde_json::{Value, json};
use shared_kernel::{AgentId, PersonId, TeamId};
use sqlx::{Postgres, QueryBuilder};

use super::Agents;
use crate::error::ReadError;
use crate::ids::uuids;
use crate::reader::{AtLeast, Reader};
use crate::records::{RecordPage, RecordQuery, RecordRow};

/// A page of the list of agents.
pub type AgentsPage = RecordPage<AgentId, Agent>;
/// An agent in the list.
pub type AgentRow = RecordRow<AgentId, Agent>;

/// A query of the list of agents, in the order of their handles; all filters must match.
#[derive(Clone, Debug)]
pub struct AgentQuery {
    /// Any of these; empty: anybody.
    pub ids: Vec<AgentId>,
    /// Is any of these people (a person, and those who were merged into them); empty: anybody.
    pub people: Vec<PersonId>,
    /// Is a member of this team.
    pub team: Option<TeamId>,
    /// Has this skill.
    pub skill: Option<Skill>,
    /// Any of these; empty: any presence.
    pub presence: Vec<Presence>,
    /// Page size.
    pub limit: u16,
    /// The cursor of the page; `None`: the first page.
    pub cursor: Option<String>,
}

impl Reader {
    /// A page of the list of agents.
    pub async fn agents(&self, query: &AgentQuery, at_least: AtLeast) -> Result<AgentsPage, ReadError> {
        self.records(&Agents, query, at_least).await
    }
}

impl RecordQuery for AgentQuery {
    type Model = Agents;
    type Id = AgentId;
    type Item = Agent;
    type Key = String;

    const KEY: &'static str = "handle";

    fn filters(&self) -> Value {
        json!([self.ids, self.people, self.team, self.skill, self.presence])
    }

    fn push_filters(&self, sql: &mut QueryBuilder<Postgres>) {
        if !self.ids.is_empty() {
            sql.push(" and t.id = any(").push_bind(uuids(&self.ids)).push(")");
        }
        if !self.people.is_empty() {
            sql.push(" and t.person = any(").push_bind(uuids(&self.people)).push(")");
        }
        if let Some(team) = self.team {
            sql.push(" and t.teams @> ").push_bind(vec![team.0]);
        }
        if let Some(skill) = &self.skill {
            sql.push(" and t.skills @> ").push_bind(vec![skill.as_str().to_owned()]);
        }
        if !self.presence.is_empty() {
            let presence = self.presence.iter().map(|p| p.as_str()).collect::<Vec<_>>();
            sql.push(" and t.presence = any(").push_bind(presence).push(")");
        }
    }

    fn limit(&self) -> u16 {
        self.limit
    }

    fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn item(agent: Agent) -> Result<Agent, String> {
        Ok(agent)
    }
}
