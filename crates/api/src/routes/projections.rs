//! `/v1/projections`: how the read models are, and rebuilding them. For admins.

use axum::Json;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use projections::Status;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::App;
use crate::admission::LoadClass;
use crate::body;
use crate::guard::Guard;
use crate::problem::{Code, FieldError, Problem};
use crate::query::Query;
use crate::route::{Operation, Route, json_of};
use crate::view::{EXAMPLE_ID, time};

/// The read models.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Projections)]
pub(crate) struct ProjectionsView {
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
    /// `live`: it serves; `building`: it is being filled beside the one that serves.
    #[schema(example = "live")]
    state: String,
    /// How far it has read the log.
    position: i64,
    /// Where the log ends.
    head: i64,
    lag: LagView,
    /// Events a second, while it is being filled.
    rate: Option<f64>,
    /// How long the filling still takes.
    eta_seconds: Option<f64>,
    #[schema(format = DateTime)]
    started_at: String,
    /// How it compared with the one before when it took its place.
    comparison: Option<String>,
    parked_streams: i64,
    /// The first hundred of the streams that it passes over.
    faults: Vec<FaultView>,
}

/// What a read model has not read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lag)]
struct LagView {
    events: i64,
    /// How long the oldest of them has been in the log.
    seconds: f64,
}

/// A ticket whose event could not be applied, and whose later events are passed over.
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
            since: time(fault.since),
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
            started_at: time(status.started_at),
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

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route {
            method: Method::GET,
            path: "/v1/projections",
            guard: Guard::Admins,
            load: LoadClass::Query,
            documented: true,
            operation: Operation::new(
                "list_projections",
                "operations",
                "How the read models are",
                "How far each has read the log, what it has not read, and which tickets it passes over. For admins.",
            )
            .success(StatusCode::OK, "The read models.", &[], json_of("Projections", &ProjectionsView::example()))
            .errors(&[Code::Forbidden, Code::InvalidQuery]),
            handler: get(list),
        },
        Route {
            method: Method::POST,
            path: "/v1/projections/{name}/rebuild",
            guard: Guard::Admins,
            load: LoadClass::Query,
            documented: true,
            operation: Operation::new(
                "rebuild_projection",
                "operations",
                "Rebuild a read model",
                "Fills a new generation from the log, beside the one that serves, which it then replaces. One at a time: while one is under way, the answer is that one. Follow it at GET /v1/projections. For admins.",
            )
            .parameter(json!({
                "name": "name", "in": "path", "required": true, "description": "The read model's name.",
                "schema": {"type": "string"}, "example": "tickets",
            }))
            .success(
                StatusCode::ACCEPTED,
                "It is under way.",
                &[],
                json!({"application/json": {"schema": {
                    "type": "object", "required": ["name", "generation"],
                    "properties": {"name": {"type": "string"}, "generation": {"type": "integer"}},
                }, "example": {"name": "tickets", "generation": 4}}}),
            )
            .errors(&[
                Code::NotFound,
                Code::Forbidden,
                Code::InvalidQuery,
                Code::ContentTooLarge,
                Code::ValidationFailed,
            ]),
            handler: post(rebuild),
        },
    ]
}

async fn list(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Json<ProjectionsView>, Problem> {
    Query::read(query.as_deref(), &[])?;
    let items = app.read_models.status().await?.into_iter().map(ProjectionView::from).collect();
    Ok(Json(ProjectionsView { items }))
}

async fn rebuild(State(app): State<App>, Path(name): Path<String>, request: Request) -> Result<Response, Problem> {
    if !projections::names().any(|known| known == name) {
        return Err(Problem::new(Code::NotFound, "There is no such read model; GET /v1/projections lists them."));
    }
    Query::read(request.uri().query(), &[])?;
    let (parts, body) = request.into_parts();
    let (body, _room) = body::read(&app, &parts.headers, body).await?;
    if body.len() > 1024 {
        return Err(Problem::new(Code::ContentTooLarge, "This takes no body."));
    }
    if !matches!(body.trim_ascii(), b"" | b"{}") {
        return Err(Problem::invalid(
            Code::ValidationFailed,
            vec![FieldError::new("", "this takes no body, or an empty object")],
        ));
    }
    let generation = app.read_models.rebuild(&name).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"name": name, "generation": generation}))).into_response())
}
