//! `POST /v1/tickets/{id}/route`.

use axum::http::Method;
use serde::Deserialize;
use serde_json::json;
use shared_kernel::TeamId;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::{self, TicketCommand, at};
use crate::problem::FieldError;
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteTo {
    #[schema(min_length = 1, max_length = 64, pattern = "line")]
    team: String,
}

impl TicketCommand for RouteTo {
    const KIND: CommandKind = CommandKind::Route;

    fn into_command(self) -> Result<Command, FieldError> {
        Ok(Command::Route { team: at("/team", TeamId::parse(&self.team))? })
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
            Ok(Command::Route { team: TeamId::parse("facilities").unwrap() })
        );
    }
}
