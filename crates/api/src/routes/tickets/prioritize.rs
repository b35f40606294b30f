//! `POST /v1/tickets/{id}/prioritize`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind, Priority};
use utoipa::ToSchema;

use super::command::{self, CommandBody};
use super::vocabulary;
use crate::problem::FieldError;
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Prioritize {
    #[schema(value_type = vocabulary::Priority)]
    priority: Priority,
    #[schema(min_length = 1, max_length = 1000, pattern = "prose")]
    reason: Option<String>,
}

impl CommandBody for Prioritize {
    const KIND: CommandKind = CommandKind::Prioritize;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Prioritize { priority: self.priority, reason: self.reason }.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Prioritize>(
        Method::POST,
        "/v1/tickets/{id}/prioritize",
        json!({"priority": "high", "reason": "Smoke in the corridor."}),
    )
    .operation("prioritize_ticket", "tickets", "Change the priority", "The same priority again records nothing.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<Prioritize>(json!({"priority": "high", "reason": "Smoke"})),
            Ok(Command::Prioritize { priority: Priority::High, reason: Some("Smoke".into()) }.into())
        );
    }
}
