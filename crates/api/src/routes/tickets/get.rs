//! `GET /v1/tickets/{id}`: folded from its stream, always current; or as it was.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use desk::AsOf;
use eventstore::Version;
use serde_json::json;
use ticket_aggregate::TicketId;

use super::view::{TICKET, TicketView};
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::caller::Authenticated;
use crate::extract::path::PathId;
use crate::extract::query::{Query, both, invalid_query};
use crate::guard::Guard;
use crate::handles::Handles;
use crate::problem::{Code, Problem};
use crate::respond::current;
use crate::route::Route;
use crate::schema::query_parameter;

pub(super) fn route() -> Route {
    let version = json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX});
    let at = json!({"type": "string", "format": "date-time"});
    Route::new(Method::GET, "/v1/tickets/{id}", Guard::Principal, LoadClass::Log, get(handle))
        .operation(
            "get_ticket",
            "tickets",
            "Read a ticket",
            "Folded from its stream: never older than what was acknowledged before. With `version` or `at`: as it was then.",
        )
        .resource(TICKET)
        .parameter(query_parameter("version", "The ticket at this version.", &version, &json!(3)))
        .parameter(query_parameter(
            "at",
            "The ticket at this time (RFC 3339).",
            &at,
            &json!("2026-01-31T09:32:10Z"),
        ))
        .returns::<TicketView>(StatusCode::OK, "The ticket.", &["ETag"], &TicketView::example())
        .not_modified()
        .errors(&[Code::NoSuchVersion, Code::InvalidQuery])
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

fn as_of(query: Option<&str>) -> Result<AsOf, Problem> {
    let query = Query::read(query, &["version", "at"])?;
    match both(query.positive("version"), query.time("at"))? {
        (Some(_), Some(_)) => Err(invalid_query("version", "give version or at, not both")),
        (Some(version), None) => Ok(AsOf::Version(Version(version))),
        (None, Some(time)) => Ok(AsOf::Time(time)),
        (None, None) => Ok(AsOf::Now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_at_exclude_each_other() {
        assert_eq!(as_of(None).unwrap(), AsOf::Now);
        assert_eq!(as_of(Some("version=3")).unwrap(), AsOf::Version(Version(3)));
        assert!(matches!(as_of(Some("at=2026-01-31T09:32:10Z")), Ok(AsOf::Time(_))));
        for bad in ["version=3&at=2026-01-31T09:32:10Z", "version=0", "at=today", "x=1"] {
            assert!(as_of(Some(bad)).is_err(), "{bad}");
        }
    }
}
