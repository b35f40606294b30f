//! `POST /v1/tickets/{id}/resume`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::{self, CommandBody};
use crate::problem::FieldError;
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Resume {}

impl CommandBody for Resume {
    const KIND: CommandKind = CommandKind::Resume;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Resume.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<Resume>(Method::POST, "/v1/tickets/{id}/resume", json!({})).operation(
        "resume_ticket",
        "tickets",
        "Stop waiting",
        "The ticket becomes open again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(command::parsed::<Resume>(json!({})), Ok(Command::Resume.into()));
    }
}
