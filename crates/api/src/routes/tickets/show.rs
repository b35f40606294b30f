//! `GET /v1/tickets/{id}`: folded from its stream, always current; or as it was.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use desk::AsOf;
use eventstore::Version;
use serde_json::json;

use super::{Named, shown};
use crate::App;
use crate::admission::LoadClass;
use crate::authenticate::Authenticated;
use crate::guard::Guard;
use crate::problem::{Code, Problem};
use crate::query::{Query, invalid};
use crate::route::{Operation, Route, header_parameter, json_of, query_parameter, ticket_id_parameter};
use crate::view::TicketView;

pub(crate) fn route() -> Route {
    Route {
        method: Method::GET,
        path: "/v1/tickets/{id}",
        guard: Guard::Principal,
            load: LoadClass::Log,
            documented: true,
        operation: Operation::new(
            "get_ticket",
            "tickets",
            "Read a ticket",
            "VersionedTicket from its record: never older than what was acknowledged before. With `version` or `at`, as it was then.",
        )
        .parameter(ticket_id_parameter())
        .parameter(query_parameter("version", "As it was after so many events.", &json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX}), &json!(3)))
        .parameter(query_parameter("at", "As it was at this time (RFC 3339).", &json!({"type": "string", "format": "date-time"}), &json!("2026-01-31T09:32:10Z")))
        .parameter(if_none_match())
        .success(StatusCode::OK, "The ticket.", &["ETag"], json_of("Ticket", &TicketView::example()))
        .success(StatusCode::NOT_MODIFIED, "You have this version already.", &["ETag"], json!(null))
        .errors(&[Code::NotFound, Code::NoSuchVersion, Code::InvalidQuery]),
        handler: get(show),
    }
}

pub(super) fn if_none_match() -> serde_json::Value {
    header_parameter("If-None-Match", false, "The ETag that you have; 304 if it is still the one.", "\"3\"")
}

async fn show(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    Named(id): Named,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let moment = moment(query.as_deref());
    // 404 goes before 400: who may not see the ticket learns nothing of it
    let wanted = moment.as_ref().copied().unwrap_or(AsOf::Now);
    let ticket = app.desk.ticket(id, wanted, &caller).await?;
    moment?;
    Ok(shown(&headers, ticket.version, || Json(TicketView::of(&ticket, &caller)).into_response()))
}

fn moment(query: Option<&str>) -> Result<AsOf, Problem> {
    let query = Query::read(query, &["version", "at"])?;
    match (query.positive("version"), query.time("at")) {
        (Ok(Some(_)), Ok(Some(_))) => Err(invalid("version", "give version or at, not both")),
        (Ok(Some(version)), Ok(None)) => Ok(AsOf::Version(Version(version))),
        (Ok(None), Ok(Some(time))) => Ok(AsOf::Time(time)),
        (Ok(None), Ok(None)) => Ok(AsOf::Now),
        (Err(one), Err(other)) => Err(one.and(other)),
        (Err(problem), Ok(_)) | (Ok(_), Err(problem)) => Err(problem),
    }
}
