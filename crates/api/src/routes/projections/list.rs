//! `GET /v1/projections`.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{Method, StatusCode};
use axum::routing::get;
use projections::Status;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::query::Query;
use crate::guard::Guard;
use crate::problem::{Code, Problem};
use crate::route::Route;
use crate::schema::EXAMPLE_ID;
use crate::time::rfc3339;

/// The read models.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Projections)]
struct ProjectionsView {
    items: Vec<ProjectionView>,
}

/// A generation of a read model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Projection)]
struct ProjectionView {
    #[schema(example = "tickets")]
    name: String,
    generation: i32,
    schema_version: i32,
    /// `live`: it serves queries. `building`: it is built beside the one that does.
    #[schema(example = "live")]
    state: String,
    /// The position that it has read up to.
    position: i64,
    /// The last position of the log.
    head: i64,
    lag: LagView,
    /// Events per second, while it is built.
    rate: Option<f64>,
    /// The estimated rest of the build.
    eta_seconds: Option<f64>,
    #[schema(format = DateTime)]
    started_at: String,
    /// The result of the comparison with the previous generation when it took over.
    comparison: Option<String>,
    parked_streams: i64,
    /// The first 100 of the parked streams.
    faults: Vec<FaultView>,
}

/// What a read model has not read yet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lag)]
struct LagView {
    events: i64,
    /// The age of the oldest of them.
    seconds: f64,
}

/// A ticket whose event could not be applied. Its later events are skipped.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectionFault)]
struct FaultView {
    #[schema(format = Uuid)]
    ticket: String,
    position: i64,
    version: i64,
    error: String,
    #[schema(format = DateTime)]
    since: String,
}

impl From<Status> for ProjectionView {
    fn from(status: Status) -> Self {
        let faults = status.faults.into_iter().map(|fault| FaultView {
            ticket: fault.stream.to_string(),
            position: fault.position.0,
            version: fault.version.0,
            error: fault.error,
            since: rfc3339(fault.since),
        });
        Self {
            faults: faults.collect(),
            name: status.name,
            generation: status.generation,
            schema_version: status.schema_version,
            state: status.state,
            position: status.position.0,
            head: status.head.0,
            lag: LagView { events: status.lag_events, seconds: status.lag_seconds },
            rate: status.rate,
            eta_seconds: status.eta_seconds,
            started_at: rfc3339(status.started_at),
            comparison: status.comparison,
            parked_streams: status.parked_streams,
        }
    }
}

impl ProjectionsView {
    fn example() -> Value {
        json!({"items": [{
            "name": "tickets", "generation": 3, "schema_version": 1, "state": "live", "position": 4711, "head": 4712,
            "lag": {"events": 1, "seconds": 0.004}, "rate": null, "eta_seconds": null,
            "started_at": "2026-01-31T09:30:00Z", "comparison": "equal", "parked_streams": 1,
            "faults": [{
                "ticket": EXAMPLE_ID, "position": 4242, "version": 7,
                "error": "unknown event type \"ticket.frozen\"", "since": "2026-01-31T09:32:10Z",
            }],
        }]})
    }
}

pub(super) fn route() -> Route {
    Route::new(Method::GET, "/v1/projections", Guard::Admins, LoadClass::Query, get(handle))
        .operation(
            "list_projections",
            "operations",
            "List the read models",
            "How far each has read the log, its lag, and the tickets that it skips. For admins.",
        )
        .returns::<ProjectionsView>(StatusCode::OK, "The read models.", &[], &ProjectionsView::example())
        .errors(&[Code::InvalidQuery])
}

async fn handle(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<ProjectionsView>, Problem> {
    Query::read(query.as_deref(), &[])?;
    let items = app.read_models.status().await?.into_iter().map(ProjectionView::from).collect();
    Ok(Json(ProjectionsView { items }))
}
