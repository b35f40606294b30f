//! `/v1/tickets`.

mod bodies;
mod command;
pub(crate) mod commands;
mod conversation;
mod history;
mod list;
mod open;
mod pages;
mod show;

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use desk::{Caller, CommandOutcome};
use eventstore::Version;
use ticket_aggregate::TicketId;

use crate::App;
use crate::authenticate::Authenticated;
use crate::conditional::{etag, is_known};
use crate::error::{not_found, unauthorized};
use crate::problem::Problem;
use crate::route::Route;
use crate::view::TicketView;

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = vec![open::route(), list::route(), show::route(), history::route(), conversation::route()];
    routes.extend(commands::routes());
    routes
}

/// The ticket that a path names. What is no id names no ticket.
pub(crate) struct Named(pub(crate) TicketId);

impl FromRequestParts<App> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| not_found())?;
        // one spelling only: hyphenated lower case
        let uuid = id.parse::<uuid::Uuid>().ok().filter(|uuid| uuid.to_string() == id);
        uuid.map(|uuid| Self(TicketId(uuid))).ok_or_else(not_found)
    }
}

impl FromRequestParts<App> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Extension(caller) = Extension::<Self>::from_request_parts(parts, app)
            .await
            .map_err(|_| unauthorized("The request needs an API key."))?;
        Ok(caller)
    }
}

/// Headers of everything that is read from a ticket at a version.
fn validators(version: Version) -> HeaderMap {
    HeaderMap::from_iter([
        (header::ETAG, etag(version)),
        (header::VARY, HeaderValue::from_static("Authorization")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    ])
}

/// The answer to a query: 304 where the client has it already.
fn shown(request: &HeaderMap, version: Version, body: impl FnOnce() -> Response) -> Response {
    let mut response = if is_known(request, version) { StatusCode::NOT_MODIFIED.into_response() } else { body() };
    response.headers_mut().extend(validators(version));
    response
}

/// The answer to a command: the ticket after it.
fn done(caller: &Arc<Caller>, done: &CommandOutcome, status: StatusCode, made: Option<TicketId>) -> Response {
    let status = done.replayed.and_then(|s| StatusCode::from_u16(s.unsigned_abs()).ok()).unwrap_or(status);
    let mut response = (status, Json(TicketView::of(&done.ticket, caller))).into_response();
    let headers = response.headers_mut();
    headers.extend(validators(done.ticket.version));
    headers.insert(HeaderName::from_static("docket-position"), HeaderValue::from(done.position.0));
    if let Some(location) = made.and_then(|id| HeaderValue::try_from(format!("/v1/tickets/{id}")).ok()) {
        headers.insert(header::LOCATION, location);
    }
    if done.replayed.is_some() {
        headers.insert(HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"));
    }
    response
}
