//! `POST /v1/people/{id}/rename`.

use person_aggregate::{Command, Person, PersonName};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::App;
use crate::guard::Guard;
use crate::problem::{Problem, at};
use crate::route::{CommandStyle, Route};
use crate::routes::records::{RecordCommand, command_route};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct RenamePerson {
    /// Null: they have no name any more.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true, min_length = 1, max_length = 200, pattern = "line")]
    name: Option<String>,
}

impl RecordCommand<Person> for RenamePerson {
    async fn into_command(self, _: &App) -> Result<Command, Problem> {
        let name = self.name.map(|name| at("/name", PersonName::parse(&name))).transpose();
        Ok(Command::Rename { name: name.map_err(Problem::invalid)? })
    }
}

pub(super) fn route() -> Route {
    let path = "/v1/people/{id}/rename";
    command_route::<Person, RenamePerson>(path, Guard::Staff, CommandStyle::Change, json!({"name": "Grace Hopper"}))
        .operation(
            "rename_person",
            "people",
            "Change a person's name",
            "Tickets name people by id: none of them changes.",
        )
}
