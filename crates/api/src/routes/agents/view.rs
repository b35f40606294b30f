//! Agents as clients see them. Their names are in the records of the people that they are.

use agent_aggregate::Agent;
use desk::{AgentName, DeskError, TeamName, UnknownName};
use eventstore::Version;
use serde::Serialize;
use serde_json::{Value, json};
use shared_kernel::{AgentId, TeamId};
use utoipa::ToSchema;

use super::vocabulary;
use crate::app::App;
use crate::handles::Handles;
use crate::problem::{Problem, at};
use crate::route::ResourceType;
use crate::routes::records::Resource;
use crate::schema::{EXAMPLE_AGENT, EXAMPLE_PERSON};
use crate::time::rfc3339;

/// A person who helps.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Agent)]
pub(in crate::routes) struct AgentView {
    #[schema(format = Uuid)]
    id: String,
    /// The name that programs use, and that tickets show. It never changes.
    handle: String,
    /// The version of their stream; the entity tag.
    version: i64,
    /// The person that they are: names and addresses are there.
    #[schema(format = Uuid)]
    person_id: String,
    /// The handles of their teams.
    teams: Vec<String>,
    skills: Vec<String>,
    #[schema(value_type = vocabulary::Presence)]
    presence: String,
    /// How many tickets they take on at once. Null: any number.
    capacity: Option<u32>,
    /// How much of the capacity is taken.
    load: u64,
    #[schema(format = DateTime)]
    registered_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

impl AgentView {
    pub(super) fn new(id: AgentId, version: Version, agent: &Agent, handles: &Handles) -> Self {
        Self {
            id: id.to_string(),
            handle: agent.handle.to_string(),
            version: version.0,
            person_id: agent.person.to_string(),
            teams: agent.teams.iter().map(|team| handles.team(*team)).collect(),
            skills: agent.skills.iter().map(ToString::to_string).collect(),
            presence: agent.presence.to_string(),
            capacity: agent.capacity,
            load: agent.load(),
            registered_at: rfc3339(agent.registered_at),
            updated_at: rfc3339(agent.updated_at),
        }
    }
}

impl Resource for Agent {
    const RESOURCE: ResourceType = ResourceType { name: "agent", schema: "Agent" };
    const PATH: &'static str = "/v1/agents";
    const HAS_HANDLE: bool = true;

    type Name = AgentName;
    type View = AgentView;

    async fn find(app: &App, name: AgentName) -> Result<Option<AgentId>, DeskError> {
        app.desk.agent_id(&name).await
    }

    async fn view(app: &App, id: AgentId, version: Version, agent: &Self) -> Result<AgentView, DeskError> {
        let handles = Handles::of(app, [], agent.teams.iter().copied().collect::<Vec<_>>()).await?;
        Ok(AgentView::new(id, version, agent, &handles))
    }

    fn example() -> Value {
        json!({
            "id": EXAMPLE_AGENT, "handle": "ada", "version": 4, "person_id": EXAMPLE_PERSON,
            "teams": ["facilities"], "skills": ["english"], "presence": "online", "capacity": 5, "load": 2,
            "registered_at": "2026-01-31T09:00:00Z", "updated_at": "2026-01-31T09:32:10Z",
        })
    }
}

/// The team that a command names; 422 if there is none.
pub(super) async fn team_id(app: &App, name: &str) -> Result<TeamId, Problem> {
    let parsed: TeamName = at("/team", name.parse()).map_err(Problem::invalid)?;
    let unknown = UnknownName { field: "team", name: name.to_owned() };
    Ok(app.desk.team_id(&parsed).await?.ok_or(DeskError::UnknownName { index: 0, unknown })?)
}
