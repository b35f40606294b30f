//! `GET /v1/tickets/{id}`: folded from its stream, always current; or as it was.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ticket_aggregate::TicketId;

use super::view::{TICKET, TicketView};
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::caller::Authenticated;
use crate::extract::path::PathId;
use crate::guard::Guard;
use crate::handles::Handles;
use crate::problem::Problem;
use crate::respond::current;
use crate::route::Route;
use crate::routes::as_of::{as_of, described};

pub(super) fn route() -> Route {
    let route = Route::new(Method::GET, "/v1/tickets/{id}", Guard::Principal, LoadClass::Log, get(handle));
    described(route)
        .operation(
            "get_ticket",
            "tickets",
            "Read a ticket",
            "Folded from its stream: never older than what was acknowledged before. With `version` or `at`: as it was then.",
        )
        .resource(TICKET)
        .returns::<TicketView>(StatusCode::OK, "The ticket.", &["ETag"], &TicketView::example())
        .not_modified()
}

async fn handle(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathId(id): PathId,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ticket = app.desk.ticket(TicketId(id), as_of(query.as_deref())?, &caller).await?;
    let handles = Handles::of_tickets(&app, [&ticket.state]).await?;
    Ok(current(&headers, ticket.version, || Json(TicketView::of(&ticket, &handles, &caller)).into_response()))
}
