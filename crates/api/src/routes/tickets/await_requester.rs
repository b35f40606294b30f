//! `POST /v1/tickets/{id}/await-requester`.

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
pub(super) struct AwaitRequester {}

impl CommandBody for AwaitRequester {
    const KIND: CommandKind = CommandKind::AwaitRequester;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::AwaitRequester.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<AwaitRequester>(Method::POST, "/v1/tickets/{id}/await-requester", json!({}))
        .operation(
            "await_requester",
            "tickets",
            "Wait for the requester",
            "Needs a public reply of an agent since the requester last wrote.",
        )
        .errors(&[Code::NoReplySinceRequester])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(command::parsed::<AwaitRequester>(json!({})), Ok(Command::AwaitRequester.into()));
    }
}
