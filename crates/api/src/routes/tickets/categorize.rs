//! `POST /v1/tickets/{id}/categorize`.

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
pub(super) struct Categorize {
    #[schema(min_length = 1, max_length = 100, pattern = "line")]
    category: String,
}

impl CommandBody for Categorize {
    const KIND: CommandKind = CommandKind::Categorize;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Categorize { category: self.category }.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Categorize>(Method::POST, "/v1/tickets/{id}/categorize", json!({"category": "hardware"}))
        .operation("categorize_ticket", "tickets", "Change the category", "The same category again records nothing.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<Categorize>(json!({"category": "hardware"})),
            Ok(Command::Categorize { category: "hardware".into() }.into())
        );
    }
}
