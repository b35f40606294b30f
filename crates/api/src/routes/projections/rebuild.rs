//! `POST /v1/projections/{name}/rebuild`.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::json;

use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::body;
use crate::extract::query::Query;
use crate::guard::Guard;
use crate::problem::{Code, FieldError, Problem};
use crate::route::Route;

/// Room for `{}` and white space.
const LARGEST_BODY: usize = 1024;

pub(super) fn route() -> Route {
    let answer = json!({"application/json": {"schema": {
        "type": "object", "required": ["name", "generation"],
        "properties": {"name": {"type": "string"}, "generation": {"type": "integer"}},
    }, "example": {"name": "tickets", "generation": 4}}});
    Route::new(Method::POST, "/v1/projections/{name}/rebuild", Guard::Admins, LoadClass::Command, post(handle))
        .operation(
            "rebuild_projection",
            "operations",
            "Rebuild a read model",
            "Builds a new generation from the log beside the live one, then switches. One at a time: while a rebuild is in \
             progress, the answer names it. Follow it with GET /v1/projections. For admins.",
        )
        .parameter(json!({
            "name": "name", "in": "path", "required": true, "description": "The read model's name.",
            "schema": {"type": "string"}, "example": "tickets",
        }))
        .success(StatusCode::ACCEPTED, "The rebuild is in progress.", &[], answer)
        .errors(&[
            Code::NotFound,
            Code::InvalidQuery,
            Code::BadRequest,
            Code::BodyTimeout,
            Code::ContentTooLarge,
            Code::ValidationFailed,
        ])
}

async fn handle(State(app): State<App>, Path(name): Path<String>, request: Request) -> Result<Response, Problem> {
    Query::read(request.uri().query(), &[])?;
    let (parts, body) = request.into_parts();
    let (body, _memory) = body::read(&app, &parts.headers, body).await?;
    let _permit = app.admission.enter(LoadClass::Command)?;
    if body.len() > LARGEST_BODY {
        return Err(Problem::new(Code::ContentTooLarge, "This takes no body."));
    }
    if !matches!(body.trim_ascii(), b"" | b"{}") {
        let fault = FieldError::new("", "this takes no body, or an empty object");
        return Err(Problem::faults(Code::ValidationFailed, fault.into()));
    }
    if !projections::names().any(|known| known == name) {
        return Err(Problem::new(Code::NotFound, "There is no such read model; GET /v1/projections lists them."));
    }
    let generation = app.read_models.rebuild(&name).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"name": name, "generation": generation}))).into_response())
}
