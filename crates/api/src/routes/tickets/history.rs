//! `GET /v1/tickets/{id}/history`.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ticket_aggregate::TicketId;

use super::pages::{Page, paged};
use super::view::{EventView, HistoryView};
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::caller::Authenticated;
use crate::extract::path::PathId;
use crate::guard::Guard;
use crate::problem::Problem;
use crate::respond::current;
use crate::route::Route;

pub(super) fn route() -> Route {
    let route = Route::new(Method::GET, "/v1/tickets/{id}/history", Guard::Principal, LoadClass::Log, get(handle));
    let route = route.operation(
        "get_ticket_history",
        "tickets",
        "Read the history of a ticket",
        "Its events in order: who did what, when, and why. Requesters see the public ones.",
    );
    paged(route)
        .returns::<HistoryView>(StatusCode::OK, "The events.", &["ETag", "Link"], &HistoryView::example())
        .not_modified()
}

async fn handle(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): PathId,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (page, ticket, entries) = Page::read(&app, TicketId(id), &caller, query.as_deref(), |_| true).await?;
    Ok(current(&headers, ticket.version, || {
        let items = entries.iter().map(EventView::from).collect();
        page.linked("history", Json(HistoryView { items, next_cursor: page.next_cursor() }).into_response())
    }))
}
