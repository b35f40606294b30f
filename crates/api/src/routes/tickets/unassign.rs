//! `POST /v1/tickets/{id}/unassign`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::{self, CommandBody};
use crate::problem::FieldError;
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unassign {}

impl CommandBody for Unassign {
    const KIND: CommandKind = CommandKind::Unassign;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Unassign.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Unassign>(Method::POST, "/v1/tickets/{id}/unassign", json!({})).operation(
        "unassign_ticket",
        "tickets",
        "Take the ticket from its agent",
        "The ticket goes back to its team's queue.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(command::parsed::<Unassign>(json!({})), Ok(Command::Unassign.into()));
    }
}
