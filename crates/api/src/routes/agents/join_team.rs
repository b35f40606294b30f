//! `POST /v1/agents/{id}/join-team`.

use agent_aggregate::{Agent, Command};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::view::team_id;
use crate::app::App;
use crate::guard::Guard;
use crate::problem::Problem;
use crate::route::{CommandStyle, Route};
use crate::routes::records::{RecordCommand, command_route};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct JoinTeam {
    /// The team's handle or id.
    #[schema(min_length = 1, max_length = 64, pattern = "line")]
    team: String,
}

impl RecordCommand<Agent> for JoinTeam {
    async fn into_command(self, app: &App) -> Result<Command, Problem> {
        Ok(Command::JoinTeam { team: team_id(app, &self.team).await? })
    }
}

pub(super) fn route() -> Route {
    let example = json!({"team": "facilities"});
    command_route::<Agent, JoinTeam>("/v1/agents/{id}/join-team", Guard::Leads, CommandStyle::Change, example)
        .operation(
            "join_team",
            "agents",
            "Add an agent to a team",
            "They may be assigned its tickets, and see them. For leads and admins.",
        )
}
