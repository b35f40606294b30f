//! `POST /v1/tickets/{id}/notes`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::{self, CommandBody};
use crate::problem::FieldError;
use crate::route::{CommandStyle, Route};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    #[schema(min_length = 1, max_length = 65_536, pattern = "prose")]
    body: String,
}

impl CommandBody for Note {
    const KIND: CommandKind = CommandKind::Note;
    const STYLE: CommandStyle = CommandStyle::AddItem;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Note { body: self.body }.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Note>(Method::POST, "/v1/tickets/{id}/notes", json!({"body": "Third time this month."})).operation(
        "add_note",
        "tickets",
        "Write an internal note",
        "For agents only; the requester never sees it.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(command::parsed::<Note>(json!({"body": "x"})), Ok(Command::Note { body: "x".into() }.into()));
    }
}
