//! `POST /v1/tickets/{id}/link`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind, LinkKind, TicketId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::command::{self, CommandBody};
use super::vocabulary;
use crate::problem::{Code, FieldError};
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    #[schema(value_type = vocabulary::LinkKind)]
    kind: LinkKind,
    /// The other ticket's id.
    other: Uuid,
}

impl CommandBody for Link {
    const KIND: CommandKind = CommandKind::Link;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Link { kind: self.kind, other: TicketId(self.other) }.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Link>(
        Method::POST,
        "/v1/tickets/{id}/link",
        json!({"kind": "blocked_by", "other": "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11"}),
    )
    .operation("link_ticket", "tickets", "Link another ticket", "Recorded on both tickets in one unit.")
    .errors(&[Code::CommandRefused])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::EXAMPLE_ID;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<Link>(json!({"kind": "blocked_by", "other": EXAMPLE_ID})),
            Ok(Command::Link { kind: LinkKind::BlockedBy, other: TicketId(EXAMPLE_ID.parse().unwrap()) }.into())
        );
    }
}
