//! `GET /v1/me`: who calls.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::caller::Authenticated;
use crate::extract::query::Query;
use crate::guard::Guard;
use crate::handles::Handles;
use crate::problem::{Code, Problem};
use crate::route::Route;
use crate::schema::{EXAMPLE_AGENT, EXAMPLE_PERSON, enum_schema};

enum_schema!(
    /// What a caller may do; from least to most.
    Role = shared_kernel::Role::ALL
);

/// Who calls: the owner of the key, or the person for whom they act.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Caller)]
struct CallerView {
    #[schema(value_type = Role)]
    role: String,
    #[schema(format = Uuid)]
    person_id: Option<String>,
    name: Option<String>,
    /// Null: not an agent.
    agent: Option<CallerAgentView>,
    /// The handles of their teams.
    teams: Vec<String>,
    /// The id of the API key: the part of it that is no secret.
    key_id: Option<String>,
    /// Whether the key may be used for others, by Docket-On-Behalf-Of.
    acts_for_others: bool,
}

/// The agent who calls.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallerAgent)]
struct CallerAgentView {
    #[schema(format = Uuid)]
    id: String,
    handle: String,
}

fn example() -> Value {
    json!({
        "role": "agent", "person_id": EXAMPLE_PERSON, "name": "Ada", "agent": {"id": EXAMPLE_AGENT, "handle": "ada"},
        "teams": ["facilities"], "key_id": "0123456789abcdef", "acts_for_others": false,
    })
}

pub(super) fn routes() -> Vec<Route> {
    let route = Route::new(Method::GET, "/v1/me", Guard::Principal, LoadClass::Log, get(handle)).operation(
        "get_caller",
        "callers",
        "See who calls",
        "The owner of the key, with the role and the teams that they have now; or the person for whom the key acts.",
    );
    vec![route.returns::<CallerView>(StatusCode::OK, "The caller.", &[], &example()).errors(&[Code::InvalidQuery])]
}

async fn handle(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    Query::read(query.as_deref(), &[])?;
    let handles = Handles::of(&app, caller.agent(), caller.teams.iter().copied().collect::<Vec<_>>()).await?;
    let view = CallerView {
        role: caller.role.to_string(),
        person_id: caller.person().map(|person| person.to_string()),
        name: caller.name.clone(),
        agent: caller.agent().map(|agent| CallerAgentView { id: agent.to_string(), handle: handles.agent(agent) }),
        teams: caller.teams.iter().map(|team| handles.team(*team)).collect(),
        key_id: caller.key.clone(),
        acts_for_others: caller.acts_for_others,
    };
    let mut response = Json(view).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
