//! `POST /v1/tickets/{id}/close`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::{self, CommandBody};
use crate::problem::{Code, FieldError};
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Close {}

impl CommandBody for Close {
    const KIND: CommandKind = CommandKind::Close;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Close.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Close>(Method::POST, "/v1/tickets/{id}/close", json!({}))
        .operation("close_ticket", "tickets", "End a resolved ticket for good", "The requester at any time; leads once the ticket can no longer be reopened, or after the requester confirmed it.")
        .errors(&[Code::ReopenWindowOpen])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(command::parsed::<Close>(json!({})), Ok(Command::Close.into()));
    }
}
