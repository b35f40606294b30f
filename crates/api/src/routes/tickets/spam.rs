//! `POST /v1/tickets/{id}/spam`.

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
pub(super) struct Spam {}

impl CommandBody for Spam {
    const KIND: CommandKind = CommandKind::Spam;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Spam.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Spam>(Method::POST, "/v1/tickets/{id}/spam", json!({}))
        .operation(
            "mark_spam",
            "tickets",
            "End a ticket that was never a request",
            "Possible as long as no agent has replied publicly.",
        )
        .errors(&[Code::AgentAlreadyReplied])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(command::parsed::<Spam>(json!({})), Ok(Command::Spam.into()));
    }
}
