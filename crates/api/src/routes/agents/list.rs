//! `GET /v1/agents`.

use agent_aggregate::{Agent, Presence, Skill};
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use desk::TeamName;
use projections::AgentQuery;
use serde::Serialize;
use serde_json::json;
use shared_kernel::TeamId;
use utoipa::ToSchema;
use uuid::Uuid;

use super::view::AgentView;
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::query::{Query, invalid_query};
use crate::guard::Guard;
use crate::handles::Handles;
use crate::problem::Problem;
use crate::route::Route;
use crate::routes::lists::{LIST_HEADERS, described, linked, page_of};
use crate::routes::read_model::Freshness;
use crate::routes::records::Resource;
use crate::schema::query_parameter;
use crate::validation::pattern;

/// A page of agents.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentList)]
struct AgentListView {
    items: Vec<AgentView>,
    /// The start of the next page: send it as `cursor`. Null on the last page.
    next_cursor: Option<String>,
}

pub(super) fn route() -> Route {
    let line =
        |longest: usize| json!({"type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern("line")});
    let words = Presence::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join("|");
    let presence = json!({"type": "string", "pattern": format!("^({words})(,({words}))*$")});
    let route = Route::new(Method::GET, Agent::PATH, Guard::Staff, LoadClass::Query, get(handle)).operation(
        "list_agents",
        "agents",
        "List agents",
        "By handle, from a read model: `Docket-Position` says how far it has read the log. All filters must match.",
    );
    let route = route
        .parameter(query_parameter("team", "Members of this team: its handle or id.", &line(64), &json!("facilities")))
        .parameter(query_parameter("skill", "Those who have this skill.", &line(100), &json!("english")))
        .parameter(query_parameter(
            "presence",
            "One or more of online, away, offline, separated by commas.",
            &presence,
            &json!("online,away"),
        ));
    described(route).returns::<AgentListView>(
        StatusCode::OK,
        "A page of the list.",
        LIST_HEADERS,
        &json!({"items": [Agent::example()], "next_cursor": null}),
    )
}

async fn handle(State(app): State<App>, RawQuery(query): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    let given = Query::read(query.as_deref(), &["team", "skill", "presence", "limit", "cursor"])?;
    let (limit, cursor) = page_of(&given)?;
    let team: Option<TeamName> = given.parsed("team")?;
    let presence = given.text("presence").map(|words| words.split(',').map(str::parse).collect::<Result<_, _>>());
    let presence = presence.transpose().map_err(|error| invalid_query("presence", &format!("{error}")))?;
    let asked = Freshness::read(&headers)?;
    let team = match &team {
        // a team that nobody knows has no members
        Some(name) => Some(app.desk.team_id(name).await?.unwrap_or(TeamId(Uuid::nil()))),
        None => None,
    };
    let query = AgentQuery {
        ids: Vec::new(),
        people: Vec::new(),
        team,
        skill: given.parsed::<Skill>("skill")?,
        presence: presence.unwrap_or_default(),
        limit,
        cursor,
    };
    let page = app.read_models.agents(&query, asked.at_least).await?;
    let teams: Vec<_> = page.items.iter().flat_map(|row| row.record.teams.iter().copied()).collect();
    let handles = Handles::of(&app, [], teams).await?;
    let items = page.items.iter().map(|row| AgentView::new(row.id, row.version, &row.record, &handles)).collect();
    let response = Json(AgentListView { items, next_cursor: page.next.clone() }).into_response();
    let response = linked(Agent::PATH, &given, page.next.as_ref(), response);
    Ok(asked.answered(response, page.position))
}
