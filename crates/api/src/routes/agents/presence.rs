//! `POST /v1/agents/{id}/presence`.

use agent_aggregate::{Agent, Command, Presence};
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use axum::routing::post;
use desk::DeskError;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::vocabulary;
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::command::CommandRequest;
use crate::guard::Guard;
use crate::problem::Problem;
use crate::route::{CommandStyle, Route};
use crate::routes::records::{Named, change, changing, of_record};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetPresence {
    #[schema(value_type = vocabulary::Presence)]
    presence: Presence,
}

pub(super) fn route() -> Route {
    let path = "/v1/agents/{id}/presence";
    let route = Route::new(Method::POST, path, Guard::Staff, LoadClass::Command, post(handle)).operation(
        "set_presence",
        "agents",
        "Say whether an agent is at work",
        "Agents say it of themselves, leads and admins of anybody. Who is offline keeps no ticket that becomes active again.",
    );
    let route = of_record::<Agent>(route);
    changing::<Agent>(
        route.command::<SetPresence>(CommandStyle::Change, json!({"presence": "away"})),
        CommandStyle::Change,
    )
}

async fn handle(
    State(app): State<App>,
    name: Named<Agent>,
    request: CommandRequest<SetPresence>,
) -> Result<Response, Problem> {
    let CommandRequest { body, context } = request;
    let id = name.find(&app).await?;
    if !context.caller.sees_all() && context.caller.agent() != Some(id) {
        return Err(DeskError::OthersOnly.into());
    }
    change::<Agent>(&app, id, Command::SetPresence { presence: body.presence }, context).await
}
