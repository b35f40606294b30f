//! `POST /v1/teams`.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;
use settings_aggregate::{SettingName, TeamDocument};
use shared_kernel::Handle;
use utoipa::ToSchema;

use super::view::TeamSetting;
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::command::CommandRequest;
use crate::guard::Guard;
use crate::handles::parse_handle;
use crate::problem::{Code, Faults, Problem, at};
use crate::route::Route;
use crate::routes::records::{create_route, created};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateTeam {
    /// The name that programs use; it never changes. Unique among teams; not `none`, nor of the form of an id.
    #[schema(min_length = 1, max_length = 64, pattern = "line")]
    handle: String,
    #[schema(min_length = 1, max_length = 200, pattern = "line")]
    name: String,
    #[schema(min_length = 1, max_length = 1000, pattern = "prose")]
    description: Option<String>,
}

impl CreateTeam {
    fn parse(self) -> Result<(Handle, SettingName, TeamDocument), Faults> {
        let mut faults = Faults::default();
        let handle = faults.take(parse_handle(&self.handle));
        let name = faults.take(at("/name", SettingName::parse(&self.name)));
        match (handle, name) {
            (Some(handle), Some(name)) => Ok((handle, name, TeamDocument { description: self.description })),
            _ => Err(faults),
        }
    }
}

pub(super) fn route() -> Route {
    let example = json!({"handle": "facilities", "name": "Facilities", "description": "Doors, desks and lamps."});
    let route = Route::new(Method::POST, "/v1/teams", Guard::Admins, LoadClass::Command, post(handle)).operation(
        "create_team",
        "teams",
        "Create a team",
        "A queue of tickets. Agents join it by their own records. For admins.",
    );
    create_route::<TeamSetting, CreateTeam>(route, example)
}

async fn handle(State(app): State<App>, request: CommandRequest<CreateTeam>) -> Result<Response, Problem> {
    let CommandRequest { body, mut context } = request;
    let parsed = body.parse().map_err(|faults| Problem::faults(Code::ValidationFailed, faults));
    let (handle, name, document) = parsed?;
    let done = app.desk.create_team(handle, name, document, context.call(&app)).await;
    created::<TeamSetting>(&app, done, context).await
}
