//! `POST /v1/tickets/{id}/rename`.

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
pub(super) struct Rename {
    #[schema(min_length = 1, max_length = 300, pattern = "line")]
    subject: String,
}

impl CommandBody for Rename {
    const KIND: CommandKind = CommandKind::Rename;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Rename { subject: self.subject }.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Rename>(Method::POST, "/v1/tickets/{id}/rename", json!({"subject": "The printer was on fire"}))
        .operation("rename_ticket", "tickets", "Change the subject", "The same subject again records nothing.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<Rename>(json!({"subject": "x"})),
            Ok(Command::Rename { subject: "x".into() }.into())
        );
    }
}
