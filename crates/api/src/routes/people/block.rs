//! `POST /v1/people/{id}/block`.

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
struct BlockPerson {
    #[schema(min_length = 1, max_length = 1000, pattern = "prose")]
    reason: String,
}

impl RecordCommand<Person> for BlockPerson {
    async fn into_command(self, _: &App) -> Result<Command, Problem> {
        Ok(Command::Block { reason: self.reason })
    }
}

pub(super) fn route() -> Route {
    let path = "/v1/people/{id}/block";
    command_route::<Person, BlockPerson>(path, Guard::Leads, CommandStyle::Change, json!({"reason": "Insults."}))
        .operation(
            "block_person",
            "people",
            "Block a person",
            "Their keys are refused within 5 s, and no ticket is opened for them. For leads and admins.",
        )
}
