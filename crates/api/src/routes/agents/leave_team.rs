//! `POST /v1/agents/{id}/leave-team`.

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
struct LeaveTeam {
    /// The team's handle or id.
    #[schema(min_length = 1, max_length = 64, pattern = "line")]
    team: String,
}

impl RecordCommand<Agent> for LeaveTeam {
    async fn into_command(self, app: &App) -> Result<Command, Problem> {
        Ok(Command::LeaveTeam { team: team_id(app, &self.team).await? })
    }
}

pub(super) fn route() -> Route {
    let example = json!({"team": "facilities"});
    command_route::<Agent, LeaveTeam>("/v1/agents/{id}/leave-team", Guard::Leads, CommandStyle::Change, example).operation(
        "leave_team",
        "agents",
        "Take an agent out of a team",
        "The tickets of the team that they have stay theirs until somebody assigns them anew. For leads and admins.",
    )
}
