//! `GET /v1/tickets/{id}/history`: its events in order.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::show::if_none_match;
use super::{Named, shown};
use crate::App;
use crate::auth::Authenticated;
use crate::operation::{Access, Operation, Route, json_of, ticket_id_parameter};
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::view::{EventView, HistoryView};

pub(crate) fn route() -> Route {
    Route {
        method: Method::GET,
        path: "/v1/tickets/{id}/history",
        access: Access::Key,
        operation: Operation::new(
            "get_ticket_history",
            "tickets",
            "Read what happened to a ticket",
            "Its events in order: who did what, when, and why. Requesters see the public ones.",
        )
        .parameter(ticket_id_parameter())
        .parameter(if_none_match())
        .success(StatusCode::OK, "The events.", &["ETag"], json_of("History", &HistoryView::example()))
        .success(StatusCode::NOT_MODIFIED, "You have this version already.", &["ETag"], json!(null))
        .errors(&[Code::NotFound, Code::InvalidQuery]),
        handler: get(history),
    }
}

async fn history(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    Named(id): Named,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (ticket, entries) = app.desk.history(id, &caller).await?;
    Query::read(query.as_deref(), &[])?;
    Ok(shown(&headers, ticket.version, || {
        let items = entries.iter().map(EventView::from).collect();
        Json(HistoryView { items, next_cursor: None }).into_response()
    }))
}
