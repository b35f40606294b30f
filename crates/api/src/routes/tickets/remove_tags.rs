//! `DELETE /v1/tickets/{id}/tags`.

use axum::http::Method;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::json;
use ticket_aggregate::{Command, CommandKind};
use utoipa::ToSchema;

use super::command::{self, CommandBody, TagText, tags};
use crate::problem::FieldError;
use crate::route::Route;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveTags {
    #[schema(min_items = 1, max_items = 100)]
    tags: Vec<TagText>,
}

impl CommandBody for RemoveTags {
    const KIND: CommandKind = CommandKind::Untag;

    fn into_command(self) -> Result<TicketCommand, FieldError> {
        Ok(Command::Untag { tags: tags(&self.tags)? }.into())
    }
}

pub(super) fn route() -> Route {
    command::route::<RemoveTags>(Method::DELETE, "/v1/tickets/{id}/tags", json!({"tags": ["printer"]})).operation(
        "remove_tags",
        "tickets",
        "Remove tags",
        "Tags that the ticket does not have are ignored.",
    )
}

#[cfg(test)]
mod tests {
    use ticket_aggregate::Tag;

    use super::*;

    #[test]
    fn body_is_the_command() {
        assert_eq!(
            command::parsed::<RemoveTags>(json!({"tags": ["b", "a", "b"]})),
            Ok(Command::Untag { tags: ["a", "b"].map(|tag| Tag::parse(tag).unwrap()).into() }.into())
        );
    }
}
