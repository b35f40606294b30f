//! `GET /v1/tickets/{id}/conversation`.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use desk::Entry;
use ticket_aggregate::TicketId;

use super::pages::{Page, paged};
use super::view::{ConversationView, MessageView};
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::caller::Authenticated;
use crate::extract::path::PathId;
use crate::guard::Guard;
use crate::problem::Problem;
use crate::respond::current;
use crate::route::Route;

pub(super) fn route() -> Route {
    let route = Route::new(Method::GET, "/v1/tickets/{id}/conversation", Guard::Principal, LoadClass::Log, get(handle));
    let route = route.operation(
        "get_ticket_conversation",
        "tickets",
        "Read the messages of a ticket",
        "The opening message, replies and notes in order. Requesters see no notes.",
    );
    paged(route)
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
    let (page, ticket, entries) =
        Page::read(&app, TicketId(id), &caller, query.as_deref(), |entry: &Entry| MessageView::of(entry).is_some())
            .await?;
    Ok(current(&headers, ticket.version, || {
        let items = entries.iter().filter_map(MessageView::of).collect();
        page.linked("conversation", Json(ConversationView { items, next_cursor: page.next_cursor() }).into_response())
    }))
}
