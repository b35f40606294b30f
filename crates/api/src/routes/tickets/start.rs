//! `POST /v1/tickets/{id}/start`.

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
pub(super) struct Start {}

impl CommandBody for Start {
    const KIND: CommandKind = CommandKind::Start;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Start.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Start>(Method::POST, "/v1/tickets/{id}/start", json!({})).operation(
        "start_work",
        "tickets",
        "Take up work on a new ticket",
        "A new ticket becomes open.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(command::parsed::<Start>(json!({})), Ok(Command::Start.into()));
    }
}
