//! `POST /v1/tickets/{id}/assign`.

use axum::http::Method;
use serde::Deserialize;
use serde_json::json;
use shared_kernel::AgentId;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::{self, TicketCommand, at};
use crate::problem::{Code, FieldError};
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Assign {
    /// The agent's id.
    #[schema(min_length = 1, max_length = 64, pattern = "line")]
    assignee: String,
}

impl TicketCommand for Assign {
    const KIND: CommandKind = CommandKind::Assign;

    fn into_command(self) -> Result<Command, FieldError> {
        Ok(Command::Assign { assignee: at("/assignee", AgentId::parse(&self.assignee))? })
    }
}

pub(super) fn route() -> Route {
    command::route::<Assign>(Method::POST, "/v1/tickets/{id}/assign", json!({"assignee": "ada"}))
        .operation(
            "assign_ticket",
            "tickets",
            "Give the ticket to an agent",
            "Agents take tickets themselves; leads and admins assign others. A new ticket becomes open.",
        )
        .errors(&[Code::NotTeamMember])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<Assign>(json!({"assignee": "ada"})),
            Ok(Command::Assign { assignee: AgentId::parse("ada").unwrap() })
        );
    }
}
