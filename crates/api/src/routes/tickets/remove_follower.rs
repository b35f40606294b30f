//! `DELETE /v1/tickets/{id}/followers`.

use axum::http::Method;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::{self, TicketCommand};
use crate::problem::FieldError;
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unfollow {
    /// An e-mail address or an agent's id.
    #[schema(min_length = 1, max_length = 254, pattern = "line")]
    follower: String,
}

impl TicketCommand for Unfollow {
    const KIND: CommandKind = CommandKind::Unfollow;

    fn into_command(self) -> Result<Command, FieldError> {
        Ok(Command::Unfollow { follower: self.follower })
    }
}

pub(super) fn route() -> Route {
    command::route::<Unfollow>(Method::DELETE, "/v1/tickets/{id}/followers", json!({"follower": "ada"})).operation(
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
            command::parsed::<Unfollow>(json!({"follower": "ada"})),
            Ok(Command::Unfollow { follower: "ada".into() })
        );
    }
}
