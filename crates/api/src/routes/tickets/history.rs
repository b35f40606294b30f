//! `GET /v1/tickets/{id}/history`.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ticket_aggregate::TicketId;

use super::view::TICKET;
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::caller::Authenticated;
use crate::extract::path::PathId;
use crate::guard::Guard;
use crate::problem::Problem;
use crate::respond::current;
use crate::route::Route;
use crate::routes::history::{EventView, HistoryView};
use crate::routes::pages::{Page, cursor, paged};

pub(super) fn route() -> Route {
    let route = Route::new(Method::GET, "/v1/tickets/{id}/history", Guard::Principal, LoadClass::Log, get(handle));
    let route = route.operation(
        "get_ticket_history",
        "tickets",
        "Read the history of a ticket",
        "Its events in order: who did what, when, and why. Requesters see the public ones.",
    );
    paged(route.resource(TICKET))
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
    let page = Page::read(query.as_deref())?;
    let read = app.desk.history_page(TicketId(id), &caller, page.after, page.size(), |_| true).await?;
    let (ticket, entries, next) = read;
    Ok(current(&headers, ticket.version, || {
        let items = entries.iter().map(EventView::from).collect();
        let path = format!("/v1/tickets/{}/history", ticket.id);
        page.linked(&path, next, Json(HistoryView { items, next_cursor: cursor(next) }).into_response())
    }))
}
