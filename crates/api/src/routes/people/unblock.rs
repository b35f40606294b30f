//! `POST /v1/people/{id}/unblock`.

use person_aggregate::{Command, Person};
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
struct UnblockPerson {}

impl RecordCommand<Person> for UnblockPerson {
    async fn into_command(self, _: &App) -> Result<Command, Problem> {
        Ok(Command::Unblock)
    }
}

pub(super) fn route() -> Route {
    command_route::<Person, UnblockPerson>("/v1/people/{id}/unblock", Guard::Leads, CommandStyle::Change, json!({}))
        .operation("unblock_person", "people", "End the block of a person", "For leads and admins.")
}
