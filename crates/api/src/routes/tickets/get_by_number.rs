//! `GET /v1/tickets/by-number/{number}`: a ticket by the number that people say.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use desk::{AsOf, DeskError};
use serde_json::json;
use ticket_aggregate::TicketNumber;

use super::view::TicketView;
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::caller::Authenticated;
use crate::extract::query::Query;
use crate::guard::Guard;
use crate::handles::Handles;
use crate::problem::{Code, Problem};
use crate::respond::current;
use crate::route::Route;

pub(super) fn route() -> Route {
    let guard = Guard::Principal;
    Route::new(Method::GET, "/v1/tickets/by-number/{number}", guard, LoadClass::Log, get(handle))
        .operation(
            "get_ticket_by_number",
            "tickets",
            "Read a ticket by its number",
            "The same as `GET /v1/tickets/{id}`, whose path is in `Content-Location`.",
        )
        .parameter(json!({
            "name": "number", "in": "path", "required": true, "description": "The ticket's number, without #.",
            "schema": {"type": "integer", "format": "int64", "minimum": 1}, "example": 1042,
        }))
        .returns::<TicketView>(StatusCode::OK, "The ticket.", &["ETag", "Content-Location"], &TicketView::example())
        .not_modified()
        .errors(&[Code::NotFound, Code::InvalidQuery])
}

async fn handle(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    number: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Query::read(query.as_deref(), &[])?;
    let number = number.ok().and_then(|Path(number)| parse(&number)).ok_or(DeskError::NotFound)?;
    let id = app.desk.by_number(number).await?;
    let ticket = app.desk.ticket(id, AsOf::Now, &caller).await?;
    let handles = Handles::of_tickets(&app, [&ticket.state]).await?;
    let mut response =
        current(&headers, ticket.version, || Json(TicketView::of(&ticket, &handles, &caller)).into_response());
    let location = HeaderValue::try_from(format!("/v1/tickets/{id}")).expect("a path is visible ASCII");
    response.headers_mut().insert(header::CONTENT_LOCATION, location);
    Ok(response)
}

/// Digits as they are written on the ticket: no sign, no leading zero.
fn parse(text: &str) -> Option<TicketNumber> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then(|| TicketNumber::try_from(number).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_has_one_spelling() {
        assert_eq!(parse("1042").map(TicketNumber::get), Some(1042));
        for bad in ["", "0", "-1", "+1", "01", "1e3", "#1", "99999999999999999999"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
