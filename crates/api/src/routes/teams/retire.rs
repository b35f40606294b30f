//! `POST /v1/teams/{id}/retire`.

use serde::Deserialize;
use serde_json::json;
use settings_aggregate::{Command, Team};
use utoipa::ToSchema;

use super::view::TeamSetting;
use crate::app::App;
use crate::guard::Guard;
use crate::problem::Problem;
use crate::route::{CommandStyle, Route};
use crate::routes::records::{RecordCommand, command_route};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RetireTeam {}

impl RecordCommand<TeamSetting> for RetireTeam {
    async fn into_command(self, _: &App) -> Result<Command<Team>, Problem> {
        Ok(Command::Retire)
    }
}

pub(super) fn route() -> Route {
    command_route::<TeamSetting, RetireTeam>("/v1/teams/{id}/retire", Guard::Admins, CommandStyle::Change, json!({}))
        .operation(
            "retire_team",
            "teams",
            "Take a team out of use",
            "For good. It keeps its handle, its tickets and its members. For admins.",
        )
}
