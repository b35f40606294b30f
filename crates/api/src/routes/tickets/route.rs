//! `POST /v1/tickets/{id}/route`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::CommandKind;
use utoipa::ToSchema;

use super::command::{self, CommandBody};
use crate::problem::{FieldError, at};
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteTo {
    /// The team's handle or id.
    #[schema(min_length = 1, max_length = 64, pattern = "line")]
    team: String,
}

impl CommandBody for RouteTo {
    const KIND: CommandKind = CommandKind::Route;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(TicketCommand::Route { team: at("/team", self.team.parse())? })
    }
}

pub(super) fn route() -> Route {
    command::route::<RouteTo>(Method::POST, "/v1/tickets/{id}/route", json!({"team": "facilities"})).operation(
        "route_ticket",
        "tickets",
        "Put the ticket into a team's queue",
        "The ticket loses its agent, if it has one: an assignee belongs to the ticket's team.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<RouteTo>(json!({"team": "facilities"})),
            Ok(TicketCommand::Route { team: "facilities".parse().unwrap() })
        );
    }
}
