//! `POST /v1/tickets/{id}/assign`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::CommandKind;
use utoipa::ToSchema;

use super::command::{self, CommandBody};
use crate::problem::{Code, FieldError, at};
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Assign {
    /// The agent's handle or id.
    #[schema(min_length = 1, max_length = 64, pattern = "line")]
    assignee: String,
    /// Whether the agent's capacity may be exceeded. Default: false.
    #[serde(default, rename = "override")]
    #[schema(required = false)]
    over_capacity: bool,
}

impl CommandBody for Assign {
    const KIND: CommandKind = CommandKind::Assign;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        let assignee = at("/assignee", self.assignee.parse())?;
        Ok(TicketCommand::Assign { assignee, over_capacity: self.over_capacity })
    }
}

pub(super) fn route() -> Route {
    command::route::<Assign>(Method::POST, "/v1/tickets/{id}/assign", json!({"assignee": "ada"}))
        .operation(
            "assign_ticket",
            "tickets",
            "Give the ticket to an agent",
            "Agents take tickets themselves; leads and admins assign others. A new ticket becomes open. An agent at capacity is \
             refused, unless `override` is true.",
        )
        .errors(&[Code::NotTeamMember, Code::AgentAtCapacity])
}

#[cfg(test)]
mod tests {
    use desk::AgentName;

    use super::*;
    use crate::schema::EXAMPLE_ID;

    #[test]
    fn body_is_the_command() {
        let assign = |over_capacity| TicketCommand::Assign { assignee: "ada".parse().unwrap(), over_capacity };
        assert_eq!(command::parsed::<Assign>(json!({"assignee": "ada"})), Ok(assign(false)));
        assert_eq!(command::parsed::<Assign>(json!({"assignee": "ada", "override": true})), Ok(assign(true)));
    }

    #[test]
    fn assignee_can_be_an_id() {
        let assignee = AgentName::Id(EXAMPLE_ID.parse().unwrap());
        let parsed = command::parsed::<Assign>(json!({"assignee": EXAMPLE_ID}));
        assert_eq!(parsed, Ok(TicketCommand::Assign { assignee, over_capacity: false }));
    }
}
