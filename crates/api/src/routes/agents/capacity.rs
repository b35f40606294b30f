//! `POST /v1/agents/{id}/capacity`.

use agent_aggregate::{Agent, Command};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::App;
use crate::guard::Guard;
use crate::problem::Problem;
use crate::route::{CommandStyle, Route};
use crate::routes::records::{RecordCommand, command_route};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetCapacity {
    /// How many tickets they take on at once. Null: any number.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, maximum = 10_000)]
    capacity: Option<u32>,
}

impl RecordCommand<Agent> for SetCapacity {
    async fn into_command(self, _: &App) -> Result<Command, Problem> {
        Ok(Command::SetCapacity { capacity: self.capacity })
    }
}

pub(super) fn route() -> Route {
    let path = "/v1/agents/{id}/capacity";
    command_route::<Agent, SetCapacity>(path, Guard::Leads, CommandStyle::Change, json!({"capacity": 5})).operation(
        "set_capacity",
        "agents",
        "Change an agent's capacity",
        "Tickets that exceed it stay with them. For leads and admins.",
    )
}
