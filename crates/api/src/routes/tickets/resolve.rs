//! `POST /v1/tickets/{id}/resolve`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind, ResolutionCode};
use utoipa::ToSchema;

use super::command::{self, CommandBody};
use crate::problem::{Code, FieldError, at};
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Resolve {
    /// How it was solved, such as `solved` or `workaround`.
    #[schema(min_length = 1, max_length = 100, pattern = "line")]
    code: String,
    /// For agents only.
    #[schema(min_length = 1, max_length = 65_536, pattern = "prose")]
    note: Option<String>,
}

impl CommandBody for Resolve {
    const KIND: CommandKind = CommandKind::Resolve;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Resolve { code: at("/code", ResolutionCode::parse(&self.code))?, note: self.note }.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Resolve>(
        Method::POST,
        "/v1/tickets/{id}/resolve",
        json!({"code": "solved", "note": "Replaced the fuser."}),
    )
    .operation(
        "resolve_ticket",
        "tickets",
        "Declare the ticket solved",
        "Needs an assignee, or makes the acting agent one. No unresolved ticket may block it.",
    )
    .errors(&[Code::OpenBlockers, Code::NoAssignee, Code::NotTeamMember])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<Resolve>(json!({"code": "solved"})),
            Ok(Command::Resolve { code: ResolutionCode::parse("solved").unwrap(), note: None }.into())
        );
    }
}
