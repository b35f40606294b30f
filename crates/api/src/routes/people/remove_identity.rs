//! `DELETE /v1/people/{id}/identities/{identity}`.

use axum::extract::{RawPathParams, State};
use axum::http::Method;
use axum::response::Response;
use axum::routing::delete;
use person_aggregate::{Command, Person};
use serde_json::json;
use shared_kernel::IdentityId;

use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::command::CommandContext;
use crate::guard::Guard;
use crate::problem::{Code, Problem};
use crate::route::{CommandStyle, Route};
use crate::routes::records::{Named, change, changing, of_record};

pub(super) fn route() -> Route {
    let path = "/v1/people/{id}/identities/{identity}";
    let route = Route::new(Method::DELETE, path, Guard::Staff, LoadClass::Command, delete(handle)).operation(
        "remove_identity",
        "people",
        "Remove an identity",
        "The address or name is free for somebody else then. One that was removed before records nothing.",
    );
    let route = of_record::<Person>(route).parameter(json!({
        "name": "identity", "in": "path", "required": true, "description": "The identity's number.",
        "schema": {"type": "integer", "format": "int64", "minimum": 1, "maximum": u32::MAX}, "example": 1,
    }));
    changing::<Person>(route.command_without_body(CommandStyle::Change), CommandStyle::Change)
}

async fn handle(
    State(app): State<App>,
    name: Named<Person>,
    parameters: RawPathParams,
    context: CommandContext,
) -> Result<Response, Problem> {
    let number = parameters.iter().find(|(name, _)| *name == "identity").and_then(|(_, text)| parse(text));
    let identity = number.ok_or_else(|| Problem::new(Code::NotFound, "There is no such identity."))?;
    let id = name.find(&app).await?;
    change::<Person>(&app, id, Command::RemoveIdentity { identity }, context).await
}

/// Digits: no sign, no leading zero.
fn parse(text: &str) -> Option<IdentityId> {
    let number: u32 = text.parse().ok()?;
    (number > 0 && number.to_string() == text).then_some(IdentityId(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_has_one_spelling() {
        assert_eq!(parse("7"), Some(IdentityId(7)));
        for bad in ["", "0", "-1", "+1", "01", "1e3", "4294967296"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
