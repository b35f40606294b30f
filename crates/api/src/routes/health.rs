//! `/health/liveness`, `/health/readiness`, `/metrics`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::App;
use crate::admission::LoadClass;
use crate::guard::Guard;
use crate::problem::{Code, Problem};
use crate::route::{Operation, Route};

/// How long the database may take to answer before the server calls itself unready.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> Vec<Route> {
    let operation = |id, summary, description| Operation::new(id, "operations", summary, description);
    let text = |media: &str, example: Value| json!({media: {"schema": {}, "example": example}});
    vec![
        Route {
            method: Method::GET,
            path: "/health/liveness",
            guard: Guard::Public,
            load: LoadClass::Exempt,
            documented: true,
            operation: operation(
                "get_liveness",
                "Is the process alive?",
                "Says yes as long as it can say anything. Also at /healthz.",
            )
            .success(StatusCode::OK, "It is.", &[], text("application/json", json!({"status": "alive"}))),
            handler: get(liveness),
        },
        Route {
            method: Method::GET,
            path: "/health/readiness",
            guard: Guard::Public,
            load: LoadClass::Public,
            documented: true,
            operation: operation(
                "get_readiness",
                "Can it serve?",
                "Whether the database answers and the server is not shutting down. Also at /readyz.",
            )
            .success(
                StatusCode::OK,
                "It can.",
                &["Docket-Position"],
                text("application/json", json!({"status": "ready"})),
            )
            .errors(&[Code::Unavailable]),
            handler: get(readiness),
        },
        Route {
            method: Method::GET,
            path: "/metrics",
            guard: Guard::Public,
            load: LoadClass::Public,
            documented: true,
            operation: operation(
                "get_metrics",
                "Measurements for Prometheus",
                "In the Prometheus text exposition format 0.0.4. Holds no names and no contents.",
            )
            .success(
                StatusCode::OK,
                "The measurements.",
                &[],
                text("text/plain", json!("# TYPE eventstore_batches_total counter")),
            ),
            handler: get(metrics),
        },
        Route::new(Method::GET, "/healthz", Guard::Public, LoadClass::Exempt, get(liveness)),
        Route::new(Method::GET, "/readyz", Guard::Public, LoadClass::Public, get(readiness)),
    ]
}

async fn liveness() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

async fn readiness(State(app): State<App>) -> Result<Response, Problem> {
    let unready = |why: &str| Problem::new(Code::Unavailable, why).retry_after(2);
    if *app.draining.borrow() {
        return Err(unready("This server is shutting down."));
    }
    if !app.desk.store().is_open() {
        return Err(unready("This server takes no commands any more."));
    }
    match tokio::time::timeout(PATIENCE, app.desk.store().head()).await {
        Ok(Ok(head)) => {
            let mut body = (app.config.detail)();
            body["status"] = json!("ready");
            // a list that is behind, or passes tickets over, is told, and is no reason to send nobody here
            if let Ok(Ok(all)) = tokio::time::timeout(PATIENCE, app.read_models.status()).await {
                let live = all.iter().filter(|status| status.state == "live");
                let told = live.map(|s| json!({"name": s.name, "position": s.position, "lag_events": s.lag_events, "parked_streams": s.parked_streams}));
                body["projections"] = told.collect();
            }
            Ok(([("docket-position", head.to_string())], Json(body)).into_response())
        }
        Ok(Err(_)) | Err(_) => Err(unready("The database does not answer.")),
    }
}

async fn metrics(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (app.config.metrics)()).into_response()
}
