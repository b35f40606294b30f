//! `POST /v1/tickets/{id}/reopen`.

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
pub(super) struct Reopen {
    #[schema(min_length = 1, max_length = 1000, pattern = "prose")]
    reason: Option<String>,
}

impl CommandBody for Reopen {
    const KIND: CommandKind = CommandKind::Reopen;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Reopen { reason: self.reason }.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Reopen>(Method::POST, "/v1/tickets/{id}/reopen", json!({"reason": "It burns again."}))
        .operation(
            "reopen_ticket",
            "tickets",
            "Take up a resolved ticket again",
            "Possible until `reopen_until`. Agents must give a reason.",
        )
        .errors(&[Code::ReopenDeadlinePassed])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<Reopen>(json!({"reason": "x"})),
            Ok(Command::Reopen { reason: Some("x".into()) }.into())
        );
    }
}
