//! `GET /v1/tickets/{id}/conversation`.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use desk::Entry;
use ticket_aggregate::TicketId;

use super::view::{ConversationView, MessageView, TICKET};
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::caller::Authenticated;
use crate::extract::path::PathId;
use crate::guard::Guard;
use crate::problem::Problem;
use crate::respond::current;
use crate::route::Route;
use crate::routes::pages::{Page, cursor, paged};

pub(super) fn route() -> Route {
    let route = Route::new(Method::GET, "/v1/tickets/{id}/conversation", Guard::Principal, LoadClass::Log, get(handle));
    let route = route.operation(
        "get_ticket_conversation",
        "tickets",
        "Read the messages of a ticket",
        "The opening message, replies and notes in order. Requesters see no notes.",
    );
    paged(route.resource(TICKET))
        .returns::<ConversationView>(StatusCode::OK, "The messages.", &["ETag", "Link"], &MessageView::example())
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
    let wanted = |entry: &Entry| MessageView::of(entry).is_some();
    let read = app.desk.history_page(TicketId(id), &caller, page.after, page.size(), wanted).await?;
    let (ticket, entries, next) = read;
    Ok(current(&headers, ticket.version, || {
        let items = entries.iter().filter_map(MessageView::of).collect();
        let path = format!("/v1/tickets/{}/conversation", ticket.id);
        page.linked(&path, next, Json(ConversationView { items, next_cursor: cursor(next) }).into_response())
    }))
}
