//! `GET /v1/tickets/{id}/history`: its events in order.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::pages::{Page, paged};
use super::show::if_none_match;
use super::{Named, shown};
use crate::App;
use crate::admission::LoadClass;
use crate::authenticate::Authenticated;
use crate::guard::Guard;
use crate::problem::{Code, Problem};
use crate::route::{Operation, Route, json_of, ticket_id_parameter};
use crate::view::{EventView, HistoryView};

pub(crate) fn route() -> Route {
    let operation = Operation::new(
        "get_ticket_history",
        "tickets",
        "Read what happened to a ticket",
        "Its events in order: who did what, when, and why. Requesters see the public ones.",
    )
    .parameter(ticket_id_parameter());
    Route {
        method: Method::GET,
        path: "/v1/tickets/{id}/history",
        guard: Guard::Principal,
        load: LoadClass::Log,
        documented: true,
        operation: paged(operation)
            .parameter(if_none_match())
            .success(StatusCode::OK, "The events.", &["ETag", "Link"], json_of("History", &HistoryView::example()))
            .success(StatusCode::NOT_MODIFIED, "You have this version already.", &["ETag"], json!(null))
            .errors(&[Code::NotFound]),
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
    let (page, ticket, entries) = Page::read(&app, id, &caller, query.as_deref(), |_| true).await?;
    Ok(shown(&headers, ticket.version, || {
        let items = entries.iter().map(EventView::from).collect();
        page.linked("history", Json(HistoryView { items, next_cursor: page.next_cursor() }).into_response())
    }))
}
