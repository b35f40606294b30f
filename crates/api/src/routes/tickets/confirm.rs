//! `POST /v1/tickets/{id}/confirm`.

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
pub(super) struct Confirm {}

impl CommandBody for Confirm {
    const KIND: CommandKind = CommandKind::Confirm;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Confirm.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Confirm>(Method::POST, "/v1/tickets/{id}/confirm", json!({}))
        .operation("confirm_solved", "tickets", "Declare your ticket solved", "By the requester, on their own ticket.")
        .errors(&[Code::NoAssignee, Code::OpenBlockers])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(command::parsed::<Confirm>(json!({})), Ok(Command::Confirm.into()));
    }
}
