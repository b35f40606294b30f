//! `POST /v1/teams/{id}/revise`.

use serde::Deserialize;
use serde_json::json;
use settings_aggregate::{Command, SettingName, Team, TeamDocument};
use utoipa::ToSchema;

use super::view::TeamSetting;
use crate::app::App;
use crate::extract::json::Change;
use crate::guard::Guard;
use crate::problem::{Problem, at};
use crate::route::{CommandStyle, Route};
use crate::routes::records::{RecordCommand, command_route};

/// What changes; the rest stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReviseTeam {
    #[schema(min_length = 1, max_length = 200, pattern = "line")]
    name: Option<String>,
    /// Null removes it.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000, pattern = "prose")]
    description: Change<String>,
}

impl RecordCommand<TeamSetting> for ReviseTeam {
    async fn into_command(self, _: &App) -> Result<Command<Team>, Problem> {
        let name = self.name.map(|name| at("/name", SettingName::parse(&name))).transpose();
        let document = match self.description {
            Change::Keep => None,
            Change::Clear => Some(TeamDocument { description: None }),
            Change::To(text) => Some(TeamDocument { description: Some(text) }),
        };
        Ok(Command::Revise { name: name.map_err(Problem::invalid)?, document })
    }
}

pub(super) fn route() -> Route {
    let example = json!({"name": "Facilities and gardens"});
    command_route::<TeamSetting, ReviseTeam>("/v1/teams/{id}/revise", Guard::Admins, CommandStyle::Change, example)
        .operation(
            "revise_team",
            "teams",
            "Change a team's name or description",
            "What is left out stays as it is. For admins.",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_another_thing_than_nothing() {
        let description = |body| serde_json::from_value::<ReviseTeam>(body).unwrap().description;
        assert_eq!(description(json!({})), Change::Keep);
        assert_eq!(description(json!({"description": null})), Change::Clear);
        assert_eq!(description(json!({"description": "x"})), Change::To("x".to_owned()));
    }
}
