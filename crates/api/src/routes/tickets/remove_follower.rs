//! `DELETE /v1/tickets/{id}/followers`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::CommandKind;
use utoipa::ToSchema;

use super::command::{self, CommandBody};
use crate::problem::{FieldError, at};
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unfollow {
    /// A person's id or e-mail address.
    #[schema(min_length = 1, max_length = 254, pattern = "line")]
    follower: String,
}

impl CommandBody for Unfollow {
    const KIND: CommandKind = CommandKind::Unfollow;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(TicketCommand::Unfollow { follower: at("/follower", self.follower.parse())? })
    }
}

pub(super) fn route() -> Route {
    command::route::<Unfollow>(Method::DELETE, "/v1/tickets/{id}/followers", json!({"follower": "grace@example.com"}))
        .operation(
            "remove_follower",
            "tickets",
            "Remove a follower",
            "Somebody who does not follow the ticket is ignored.",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<Unfollow>(json!({"follower": "grace@example.com"})),
            Ok(TicketCommand::Unfollow { follower: "grace@example.com".parse().unwrap() })
        );
    }
}
