//! `POST /v1/tickets/{id}/followers`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::CommandKind;
use utoipa::ToSchema;

use super::command::{self, CommandBody};
use crate::problem::{Code, FieldError, at};
use crate::route::{CommandStyle, Route};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Follow {
    /// A person's id or e-mail address.
    #[schema(min_length = 1, max_length = 254, pattern = "line")]
    follower: String,
}

impl CommandBody for Follow {
    const KIND: CommandKind = CommandKind::Follow;
    const STYLE: CommandStyle = CommandStyle::Add;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(TicketCommand::Follow { follower: at("/follower", self.follower.parse())? })
    }
}

pub(super) fn route() -> Route {
    command::route::<Follow>(Method::POST, "/v1/tickets/{id}/followers", json!({"follower": "grace@example.com"}))
        .operation(
            "add_follower",
            "tickets",
            "Add a follower",
            "A follower with an e-mail address gets the public replies, and sees the ticket as its requester does.",
        )
        .errors(&[Code::CommandRefused])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<Follow>(json!({"follower": "grace@example.com"})),
            Ok(TicketCommand::Follow { follower: "grace@example.com".parse().unwrap() })
        );
    }
}
