//! The closed vocabularies of agents, as schemas.

use crate::schema::enum_schema;

enum_schema!(
    /// Whether an agent is at work.
    Presence = agent_aggregate::Presence::ALL
);
