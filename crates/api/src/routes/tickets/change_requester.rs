//! `POST /v1/tickets/{id}/requester`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::CommandKind;
use utoipa::ToSchema;

use super::asker::Asker;
use super::command::{self, CommandBody};
use crate::problem::{Code, FieldError};
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeRequester {
    requester: Asker,
    /// For agents only.
    #[schema(min_length = 1, max_length = 1000, pattern = "prose")]
    reason: Option<String>,
}

impl CommandBody for ChangeRequester {
    const KIND: CommandKind = CommandKind::ChangeRequester;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(TicketCommand::ChangeRequester { requester: self.requester.parse()?, reason: self.reason })
    }
}

pub(super) fn route() -> Route {
    let example = json!({"requester": {"email": "grace@example.com"}, "reason": "She called for herself."});
    command::route::<ChangeRequester>(Method::POST, "/v1/tickets/{id}/requester", example)
        .operation(
            "change_requester",
            "tickets",
            "Say who asks",
            "The ticket is the other person's from then on, who sees its public events. An unknown address is registered.",
        )
        .errors(&[Code::PersonBlocked])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        let requester = "grace@example.com".parse().unwrap();
        assert_eq!(
            command::parsed::<ChangeRequester>(json!({"requester": {"email": "grace@example.com"}, "reason": "x"})),
            Ok(TicketCommand::ChangeRequester { requester, reason: Some("x".into()) })
        );
    }
}
