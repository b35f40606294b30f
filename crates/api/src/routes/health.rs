//! `/health/liveness`, `/health/readiness`, `/metrics`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::admission::LoadClass;
use crate::app::App;
use crate::guard::Guard;
use crate::problem::{Code, Problem};
use crate::route::Route;

/// The time that the database has to answer; after it the server is unready.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn routes() -> Vec<Route> {
    let content = |media: &str, example: Value| json!({media: {"schema": {}, "example": example}});
    let alive = content("application/json", json!({"status": "alive"}));
    let ready = content("application/json", json!({"status": "ready"}));
    let metrics_text = content("text/plain", json!("# TYPE eventstore_batches_total counter"));
    let public = |path, load, handler| Route::new(Method::GET, path, Guard::Public, load, handler);
    vec![
        public("/health/liveness", LoadClass::Exempt, get(liveness))
            .operation(
                "get_liveness",
                "operations",
                "Check that the process is alive",
                "Answers as long as the process can answer at all. Also at /healthz.",
            )
            .success(StatusCode::OK, "It is alive.", &[], alive),
        public("/health/readiness", LoadClass::Public, get(readiness))
            .operation(
                "get_readiness",
                "operations",
                "Check that the process can serve",
                "Whether the database answers and the server is not shutting down. Also at /readyz.",
            )
            .success(StatusCode::OK, "It can serve.", &["Docket-Position"], ready)
            .errors(&[Code::Unavailable]),
        public("/metrics", LoadClass::Public, get(metrics))
            .operation(
                "get_metrics",
                "operations",
                "Metrics for Prometheus",
                "In the Prometheus text exposition format 0.0.4. Contains no names and no contents.",
            )
            .success(StatusCode::OK, "The metrics.", &[], metrics_text),
        public("/healthz", LoadClass::Exempt, get(liveness)),
        public("/readyz", LoadClass::Public, get(readiness)),
    ]
}

async fn liveness() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

async fn readiness(State(app): State<App>) -> Result<Response, Problem> {
    let unready = |reason: &str| Problem::new(Code::Unavailable, reason).retry_after(2);
    if app.is_draining() {
        return Err(unready("This server is shutting down."));
    }
    if !app.desk.store().is_open() {
        return Err(unready("This server no longer accepts commands."));
    }
    match tokio::time::timeout(PATIENCE, app.desk.store().head()).await {
        Ok(Ok(head)) => {
            let mut body = (app.config.detail)();
            body["status"] = json!("ready");
            // a read model that lags or skips tickets is reported; the server stays ready
            if let Ok(Ok(all)) = tokio::time::timeout(PATIENCE, app.read_models.status()).await {
                let live = all.iter().filter(|status| status.state == "live");
                let states = live.map(|s| json!({"name": s.name, "position": s.position, "lag_events": s.lag_events, "parked_streams": s.parked_streams}));
                body["projections"] = states.collect();
            }
            Ok(([("docket-position", head.to_string())], Json(body)).into_response())
        }
        Ok(Err(_)) | Err(_) => Err(unready("The database does not answer.")),
    }
}

async fn metrics(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (app.config.metrics)()).into_response()
}
