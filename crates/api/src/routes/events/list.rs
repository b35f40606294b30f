//! `GET /v1/events` and `GET /v1/tickets/{id}/events`.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use desk::AsOf;
use serde_json::json;
use ticket_aggregate::TicketId;

use super::filter::{EventFilter, is_live, read, type_names};
use super::view::EventsView;
use super::{live, page};
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::caller::Authenticated;
use crate::extract::path::PathId;
use crate::guard::Guard;
use crate::problem::{Code, Problem};
use crate::route::Route;
use crate::routes::tickets::TICKET;
use crate::schema::{json_of, limit_parameter, position, position_parameter, query_parameter};

pub(super) fn of_all() -> Route {
    let route = Route::new(Method::GET, "/v1/events", Guard::Principal, LoadClass::Log, get(handle_all)).operation(
        "list_events",
        "events",
        "Read or follow the log",
        "The events that you may see, in the order of the log: of tickets; for staff, of people, agents and teams, too; for \
         admins, of API keys. With `Accept: text/event-stream` the answer is a live stream: `id` is \
         the position, `event` the type, `data` a CloudEvent. A client that reconnects with `Last-Event-ID` misses nothing and \
         sees nothing twice.",
    );
    described(route)
}

pub(super) fn of_ticket() -> Route {
    let path = "/v1/tickets/{id}/events";
    let route = Route::new(Method::GET, path, Guard::Principal, LoadClass::Log, get(handle_ticket)).operation(
        "list_ticket_events",
        "events",
        "Read or follow the events of a ticket",
        "The same as `GET /v1/events`, for one ticket.",
    );
    described(route.resource(TICKET))
}

fn described(route: Route) -> Route {
    let mut content = json_of("Events", &EventsView::example());
    content["text/event-stream"] = json!({
        "schema": {"type": "string"},
        "example": "id: 4711\nevent: ticket.resolved\ndata: {\"specversion\":\"1.0\",…}\n\n",
    });
    route
        .parameter(query_parameter("after", "Only events after this position.", &position(), &json!(4711)))
        .parameter(limit_parameter(
            "Page size (default 50, maximum 200). A page also ends at 1 MiB. A live stream ends after as many events; without a \
             limit it does not end.",
        ))
        .parameter(query_parameter(
            "type",
            "Only events of these types, separated by commas.",
            &json!({"type": "string", "pattern": types_pattern()}),
            &json!("ticket.resolved,ticket.closed"),
        ))
        .parameter(position_parameter(
            "Last-Event-ID",
            "For a live stream: the position of the last event that you have. Takes precedence over `after`.",
            4711,
        ))
        .schema::<EventsView>()
        .success(StatusCode::OK, "The events.", &["Link"], content)
        .next_page("after")
        .errors(&[Code::InvalidQuery, Code::InvalidLastEventId])
}

/// One type, or several with commas between.
fn types_pattern() -> String {
    let any = type_names().collect::<Vec<_>>().join("|").replace('.', "\\.");
    format!("^({any})(,({any}))*$")
}

async fn handle_all(
    State(app): State<App>,
    caller: Authenticated,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filter = read(None, query.as_deref(), &headers)?;
    answer(app, caller, filter, &headers).await
}

async fn handle_ticket(
    State(app): State<App>,
    caller: Authenticated,
    PathId(id): PathId,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filter = read(Some(TicketId(id)), query.as_deref(), &headers)?;
    app.desk.ticket(TicketId(id), AsOf::Now, &caller.0).await?;
    answer(app, caller, filter, &headers).await
}

async fn answer(
    app: App,
    caller: Authenticated,
    filter: EventFilter,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    if is_live(headers) {
        return live::answer(app, caller, filter, token(headers));
    }
    page::answer(&app, &caller.0, filter).await
}

/// The caller's key: a live stream checks now and then that it is still valid.
fn token(headers: &HeaderMap) -> String {
    let value =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|v| v.split_once(' '));
    let (_, token) = value.expect("the router has authenticated the request by this header");
    token.trim().to_owned()
}
