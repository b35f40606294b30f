//! `POST /v1/tickets/{id}/replies`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::{self, CommandBody};
use crate::problem::{Code, FieldError};
use crate::route::{CommandStyle, Route};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    #[schema(min_length = 1, max_length = 65_536, pattern = "prose")]
    body: String,
    /// The id of the message at its source. The same id again records nothing.
    #[schema(min_length = 1, max_length = 1000, pattern = "line")]
    source_id: Option<String>,
}

impl CommandBody for Reply {
    const KIND: CommandKind = CommandKind::Reply;
    const STYLE: CommandStyle = CommandStyle::AddItem;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Reply { body: self.body, source_id: self.source_id }.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Reply>(Method::POST, "/v1/tickets/{id}/replies", json!({"body": "We are on our way."}))
        .operation("reply_to_ticket", "tickets", "Write a public reply", "An agent's reply goes to the requester. A requester's reply reopens a waiting or resolved ticket; on a closed one it opens a new ticket with `follow_up_of`, which the answer and `Location` name.")
        .errors(&[Code::SourceIdUsed, Code::CommandRefused])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<Reply>(json!({"body": "x", "source_id": "<1@example.com>"})),
            Ok(Command::Reply { body: "x".into(), source_id: Some("<1@example.com>".into()) }.into())
        );
    }
}
