//! The read model `agents`: lists of agents, with their teams, skills, presence and load.

mod query;

use agent_aggregate::Agent;
use serde_json::json;

use crate::records::{Columns, Records, Stream, columns};
pub use query::{AgentQuery, AgentRow, AgentsPage};

pub(crate) struct Agents;

impl Records for Agents {
    const NAME: &'static str = "agents";
    const SCHEMA_VERSION: i32 = 1;
    const SCHEMA: &'static str = include_str!("agents/schema.sql");
    const INDEXES: &'static str = include_str!("agents/indexes.sql");

    type Record = Agent;

    fn streams() -> &'static [Stream<Agent>] {
        const { &[Stream::of::<Agent>()] }
    }

    fn columns(agent: &Agent) -> Columns {
        columns([
            ("handle", json!(agent.handle)),
            ("person", json!(agent.person)),
            ("teams", json!(agent.teams)),
            ("skills", json!(agent.skills)),
            ("presence", json!(agent.presence)),
            ("capacity", json!(agent.capacity)),
            ("load", agent.load().into()),
        ])
    }
}
