//! `GET /v1/reports/queues`: the number of tickets by queue.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use projections::{Queue, Viewer};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::read_model::{Freshness, described};
use super::tickets::vocabulary;
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::caller::Authenticated;
use crate::extract::query::Query;
use crate::guard::Guard;
use crate::handles::Handles;
use crate::problem::Problem;
use crate::route::Route;

/// The number of tickets by queue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Queues)]
struct QueuesView {
    /// By team, status, agent and priority, without empty ones.
    items: Vec<QueueView>,
    totals: TotalsView,
}

/// Tickets of the same team, status, agent and priority.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Queue)]
struct QueueView {
    /// The team's handle. Null: tickets of no team.
    team: Option<String>,
    #[schema(value_type = vocabulary::TicketStatus)]
    status: String,
    /// The agent's handle. Null: tickets that nobody has.
    assignee: Option<String>,
    #[schema(value_type = vocabulary::Priority)]
    priority: String,
    count: i64,
}

/// Sums over the queues.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = QueueTotals)]
struct TotalsView {
    tickets: i64,
    by_status: BTreeMap<String, i64>,
    by_priority: BTreeMap<String, i64>,
}

impl QueuesView {
    fn of(queues: &[Queue], handles: &Handles) -> Self {
        let mut totals = TotalsView::default();
        for queue in queues {
            totals.tickets += queue.count;
            *totals.by_status.entry(queue.status.to_string()).or_default() += queue.count;
            *totals.by_priority.entry(queue.priority.to_string()).or_default() += queue.count;
        }
        let items = queues.iter().map(|queue| QueueView {
            team: queue.team.map(|team| handles.team(team)),
            status: queue.status.to_string(),
            assignee: queue.assignee.map(|agent| handles.agent(agent)),
            priority: queue.priority.to_string(),
            count: queue.count,
        });
        Self { items: items.collect(), totals }
    }

    fn example() -> Value {
        json!({
            "items": [{"team": "facilities", "status": "open", "assignee": "ada", "priority": "urgent", "count": 3}],
            "totals": {"tickets": 3, "by_status": {"open": 3}, "by_priority": {"urgent": 3}},
        })
    }
}

pub(super) fn routes() -> Vec<Route> {
    let route = Route::new(Method::GET, "/v1/reports/queues", Guard::Staff, LoadClass::Query, get(queues)).operation(
        "get_queues_report",
        "reports",
        "Count tickets by queue",
        "By team, status, agent and priority. Agents see the queues of their teams and of no team, and their own tickets.",
    );
    vec![described(route).returns::<QueuesView>(
        StatusCode::OK,
        "The queues.",
        &["Docket-Position", "Preference-Applied"],
        &QueuesView::example(),
    )]
}

async fn queues(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Query::read(query.as_deref(), &[])?;
    let asked = Freshness::read(&headers)?;
    let page = app.read_models.queues(&Viewer::of(&caller), asked.at_least).await?;
    let (agents, teams): (Vec<_>, Vec<_>) = page.queues.iter().map(|queue| (queue.assignee, queue.team)).unzip();
    let handles = Handles::of(&app, agents.into_iter().flatten(), teams.into_iter().flatten()).await?;
    Ok(asked.answered(Json(QueuesView::of(&page.queues, &handles)).into_response(), page.position))
}
