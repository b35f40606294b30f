//! `GET /v1/teams`.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use projections::SettingQuery;
use serde::Serialize;
use serde_json::json;
use settings_aggregate::Team;
use utoipa::ToSchema;

use super::view::{TeamSetting, TeamView};
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::query::Query;
use crate::guard::Guard;
use crate::problem::Problem;
use crate::route::Route;
use crate::routes::lists::{LIST_HEADERS, described, linked, page_of};
use crate::routes::read_model::Freshness;
use crate::routes::records::Resource;
use crate::schema::query_parameter;

/// A page of teams.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TeamList)]
struct TeamListView {
    items: Vec<TeamView>,
    /// The start of the next page: send it as `cursor`. Null on the last page.
    next_cursor: Option<String>,
}

pub(super) fn route() -> Route {
    let retired = query_parameter(
        "retired",
        "true: only those that are out of use; false: only the others.",
        &json!({"type": "boolean"}),
        &json!(false),
    );
    let route = Route::new(Method::GET, TeamSetting::PATH, Guard::Staff, LoadClass::Query, get(handle)).operation(
        "list_teams",
        "teams",
        "List teams",
        "By handle, from a read model: `Docket-Position` says how far it has read the log.",
    );
    described(route.parameter(retired)).returns::<TeamListView>(
        StatusCode::OK,
        "A page of the list.",
        LIST_HEADERS,
        &json!({"items": [TeamSetting::example()], "next_cursor": null}),
    )
}

async fn handle(State(app): State<App>, RawQuery(query): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    let given = Query::read(query.as_deref(), &["retired", "limit", "cursor"])?;
    let (limit, cursor) = page_of(&given)?;
    let query = SettingQuery::<Team> { ids: Vec::new(), retired: given.flag("retired")?, limit, cursor };
    let asked = Freshness::read(&headers)?;
    let page = app.read_models.settings(&query, asked.at_least).await?;
    let items = page.items.iter().map(|row| TeamView::new(row.id, row.version, &row.record)).collect();
    let response = Json(TeamListView { items, next_cursor: page.next.clone() }).into_response();
    let response = linked(TeamSetting::PATH, &given, page.next.as_ref(), response);
    Ok(asked.answered(response, page.position))
}
