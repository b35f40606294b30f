//! `POST /v1/tickets/{id}/followers`.

use axum::http::Method;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::{self, TicketCommand};
use crate::problem::{Code, FieldError};
use crate::route::{CommandStyle, Route};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Follow {
    /// An e-mail address or an agent's id.
    #[schema(min_length = 1, max_length = 254, pattern = "line")]
    follower: String,
}

impl TicketCommand for Follow {
    const KIND: CommandKind = CommandKind::Follow;
    const STYLE: CommandStyle = CommandStyle::Add;

    fn into_command(self) -> Result<Command, FieldError> {
        Ok(Command::Follow { follower: self.follower })
    }
}

pub(super) fn route() -> Route {
    command::route::<Follow>(Method::POST, "/v1/tickets/{id}/followers", json!({"follower": "ada"}))
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
            command::parsed::<Follow>(json!({"follower": "ada"})),
            Ok(Command::Follow { follower: "ada".into() })
        );
    }
}
