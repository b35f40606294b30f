//! `GET /v1/tickets/{id}/conversation`: what was written, as the caller may see it.

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
use crate::view::{ConversationView, MessageView};

pub(crate) fn route() -> Route {
    let operation = Operation::new(
        "get_ticket_conversation",
        "tickets",
        "Read what was written in a ticket",
        "The opening, replies and notes in order. Requesters see no notes.",
    )
    .parameter(ticket_id_parameter());
    Route {
        method: Method::GET,
        path: "/v1/tickets/{id}/conversation",
        guard: Guard::Principal,
        load: LoadClass::Log,
        documented: true,
        operation: paged(operation)
            .parameter(if_none_match())
            .success(
                StatusCode::OK,
                "The messages.",
                &["ETag", "Link"],
                json_of("Conversation", &MessageView::example()),
            )
            .success(StatusCode::NOT_MODIFIED, "You have this version already.", &["ETag"], json!(null))
            .errors(&[Code::NotFound]),
        handler: get(conversation),
    }
}

async fn conversation(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    Named(id): Named,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let written = |entry: &desk::Entry| MessageView::of(entry).is_some();
    let (page, ticket, entries) = Page::read(&app, id, &caller, query.as_deref(), written).await?;
    Ok(shown(&headers, ticket.version, || {
        let items = entries.iter().filter_map(MessageView::of).collect();
        page.linked("conversation", Json(ConversationView { items, next_cursor: page.next_cursor() }).into_response())
    }))
}
