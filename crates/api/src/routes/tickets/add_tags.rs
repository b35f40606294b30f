//! `POST /v1/tickets/{id}/tags`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::{self, CommandBody, TagText, tags};
use crate::problem::{Code, FieldError};
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddTags {
    #[schema(min_items = 1, max_items = 100)]
    tags: Vec<TagText>,
}

impl CommandBody for AddTags {
    const KIND: CommandKind = CommandKind::Tag;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Tag { tags: tags(&self.tags)? }.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<AddTags>(Method::POST, "/v1/tickets/{id}/tags", json!({"tags": ["printer"]}))
        .operation("add_tags", "tickets", "Add tags", "Tags that the ticket has already are ignored.")
        .errors(&[Code::CommandRefused])
}

#[cfg(test)]
mod tests {
    use ticket_aggregate::Tag;

    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<AddTags>(json!({"tags": ["b", "a", "b"]})),
            Ok(Command::Tag { tags: ["a", "b"].map(|tag| Tag::parse(tag).unwrap()).into() }.into())
        );
    }
}
