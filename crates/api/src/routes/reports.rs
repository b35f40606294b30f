//! `GET /v1/reports/queues`: how many tickets there are, where.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use projections::Queue;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::read_model::{Asked, described, viewer};
use crate::App;
use crate::admission::LoadClass;
use crate::authenticate::Authenticated;
use crate::guard::Guard;
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::route::{Operation, Route, json_of};

/// How many tickets there are, where.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Queues)]
pub(crate) struct QueuesView {
    /// By team, status, agent and priority; none of them empty.
    items: Vec<QueueView>,
    totals: TotalsView,
}

/// A queue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Queue)]
struct QueueView {
    /// Null: of no team.
    team: Option<String>,
    #[schema(example = "open")]
    status: String,
    /// Null: nobody has them.
    assignee: Option<String>,
    #[schema(example = "normal")]
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
    fn of(queues: &[Queue]) -> Self {
        let mut totals = TotalsView::default();
        for queue in queues {
            totals.tickets += queue.count;
            *totals.by_status.entry(queue.status.to_string()).or_default() += queue.count;
            *totals.by_priority.entry(queue.priority.to_string()).or_default() += queue.count;
        }
        let items = queues.iter().map(|queue| QueueView {
            team: queue.team.as_ref().map(ToString::to_string),
            status: queue.status.to_string(),
            assignee: queue.assignee.as_ref().map(ToString::to_string),
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

pub(crate) fn routes() -> Vec<Route> {
    vec![Route {
        method: Method::GET,
        path: "/v1/reports/queues",
        guard: Guard::Staff,
            load: LoadClass::Query,
            documented: true,
        operation: described(Operation::new(
            "get_queues_report",
            "reports",
            "How many tickets are where",
            "By team, status, agent and priority. Agents see the queues of their teams and of no team, and their own tickets.",
        ))
        .success(
            StatusCode::OK,
            "The queues.",
            &["Docket-Position", "Preference-Applied"],
            json_of("Queues", &QueuesView::example()),
        )
        .errors(&[Code::Forbidden]),
        handler: get(queues),
    }]
}

async fn queues(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Query::read(query.as_deref(), &[])?;
    let asked = Asked::read(&headers)?;
    let queues = app.read_models.queues(&viewer(&caller), asked.at_least).await?;
    Ok(asked.answered(Json(QueuesView::of(&queues.queues)).into_response(), queues.position))
}
