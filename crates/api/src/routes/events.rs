//! `GET /v1/events` and `GET /v1/tickets/{id}/events`: the log in order, as pages, or live as server-sent
//! events (WHATWG HTML, section 9.2).

mod live;
mod page;

use shared_kernel::DomainEvent;
use std::collections::BTreeSet;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use desk::AsOf;
use eventstore::Position;
use serde_json::{Value, json};
use ticket_aggregate::{Event, TicketId};

use crate::App;
use crate::admission::LoadClass;
use crate::authenticate::Authenticated;
use crate::guard::Guard;
use crate::problem::{Code, Problem};
use crate::query::{Query, invalid};
use crate::route::{
    Operation, Route, json_of, limit_parameter, position, position_parameter, query_parameter, ticket_id_parameter,
};
use crate::routes::tickets::Named;
use crate::view::EventsView;

const LAST_EVENT_ID: &str = "last-event-id";
const LIMIT: (i64, i64) = (50, 200);

/// Which part of the log is asked for.
#[derive(Clone, Debug)]
struct Wanted {
    /// Of one ticket, or of all that the caller may see.
    ticket: Option<TicketId>,
    after: Position,
    /// Only these types; empty: all.
    types: BTreeSet<String>,
    limit: Option<i64>,
}

pub(crate) fn routes() -> Vec<Route> {
    let all = Operation::new(
        "list_events",
        "events",
        "Read the log, or follow it",
        "The events that you may see, in the order of the log. With `Accept: text/event-stream` it goes on live: `id` is \
         the position, `event` the type, `data` a CloudEvent; a client that comes back with `Last-Event-ID` misses \
         nothing and sees nothing twice.",
    );
    let one = Operation::new(
        "list_ticket_events",
        "events",
        "Read a ticket's events, or follow them",
        "The same for one ticket.",
    )
    .parameter(ticket_id_parameter())
    .errors(&[Code::NotFound]);
    vec![
        Route {
            method: Method::GET,
            path: "/v1/events",
            guard: Guard::Principal,
            load: LoadClass::Log,
            documented: true,
            operation: described(all),
            handler: get(of_all),
        },
        Route {
            method: Method::GET,
            path: "/v1/tickets/{id}/events",
            guard: Guard::Principal,
            load: LoadClass::Log,
            documented: true,
            operation: described(one),
            handler: get(of_ticket),
        },
    ]
}

fn described(operation: Operation) -> Operation {
    let stream = json!({"text/event-stream": {
        "schema": {"type": "string"},
        "example": "id: 4711\nevent: ticket.resolved\ndata: {\"specversion\":\"1.0\",…}\n\n",
    }});
    let mut content = json_of("Events", &EventsView::example());
    content["text/event-stream"] = stream["text/event-stream"].clone();
    operation
        .parameter(query_parameter("after", "Only events after this position.", &position(), &json!(4711)))
        .parameter(limit_parameter(
            "How many at the most, 50 if not given; more than 200 are 200. A page ends earlier where it has come to 1 MiB. A live stream ends after so many, and has no limit if not given.",
        ))
        .parameter(query_parameter(
            "type",
            "Only events of these types, separated by commas.",
            &json!({"type": "string", "pattern": types_pattern()}),
            &json!("ticket.resolved,ticket.closed"),
        ))
        .parameter(position_parameter(
            "Last-Event-ID",
            "For a live stream: the position of the last event that you have; goes before `after`.",
            4711,
        ))
        .success(StatusCode::OK, "The events.", &["Link"], content)
        .errors(&[Code::InvalidQuery, Code::InvalidLastEventId])
}

/// The wire names of all event types.
fn event_types() -> impl Iterator<Item = &'static str> {
    Event::TYPES.iter().map(|known| known.name)
}

/// One type, or several with commas between.
fn types_pattern() -> String {
    let any = event_types().collect::<Vec<_>>().join("|").replace('.', "\\.");
    format!("^({any})(,({any}))*$")
}

async fn of_all(
    State(app): State<App>,
    caller: Authenticated,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wanted = wanted(None, query.as_deref(), &headers)?;
    answer(app, caller, wanted, &headers).await
}

async fn of_ticket(
    State(app): State<App>,
    caller: Authenticated,
    Named(ticket): Named,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.desk.ticket(ticket, AsOf::Now, &caller.0).await?;
    let wanted = wanted(Some(ticket), query.as_deref(), &headers)?;
    answer(app, caller, wanted, &headers).await
}

async fn answer(app: App, caller: Authenticated, wanted: Wanted, headers: &HeaderMap) -> Result<Response, Problem> {
    if is_live(headers) {
        return live::answer(app, caller, wanted, token(headers));
    }
    page::answer(&app, &caller.0, wanted).await
}

/// Whether the client asks for a stream: the media type in so many words, not a wildcard.
fn is_live(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accept.flat_map(|value| value.split(',')).any(|range| {
        range.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("text/event-stream"))
    })
}

/// The key with which the caller has come, to see now and then whether it is still valid.
fn token(headers: &HeaderMap) -> String {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split_once(' ').map(|(_, token)| token.trim().to_owned()).unwrap_or_default()
}

fn wanted(ticket: Option<TicketId>, query: Option<&str>, headers: &HeaderMap) -> Result<Wanted, Problem> {
    let query = Query::read(query, &["after", "limit", "type"])?;
    let after = query.natural("after")?.unwrap_or(0);
    // garbage is refused also where it would be of no use
    let resumed = last_event_id(headers)?.filter(|_| is_live(headers));
    let types = query.text("type").map(|types| types.split(',').map(str::to_owned).collect()).unwrap_or_default();
    known(&types)?;
    let limit = query.limit()?;
    Ok(Wanted { ticket, after: Position(resumed.unwrap_or(after)), types, limit })
}

fn known(types: &BTreeSet<String>) -> Result<(), Problem> {
    match types.iter().find(|name| !event_types().any(|known| known == name.as_str())) {
        Some(name) => Err(invalid("type", &format!("there is no event type {name:?}; /asyncapi.json lists them"))),
        None => Ok(()),
    }
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let garbage =
        || Problem::new(Code::InvalidLastEventId, "Last-Event-ID is the id of an event of this stream: a position.");
    let mut lines = headers.get_all(LAST_EVENT_ID).iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let text = line.to_str().map_err(|_| garbage())?.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(position) if digits && lines.next().is_none() => Ok(Some(position)),
        _ => Err(garbage()),
    }
}

impl Wanted {
    fn takes(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.contains(kind)
    }

    fn page_size(&self) -> i64 {
        self.limit.unwrap_or(LIMIT.0).min(LIMIT.1)
    }

    /// The query of the next page.
    fn next(&self, after: Position) -> String {
        let mut query = format!("after={after}&limit={}", self.page_size());
        if !self.types.is_empty() {
            let types = self.types.iter().map(String::as_str).collect::<Vec<_>>();
            query.push_str("&type=");
            query.push_str(&types.join(","));
        }
        query
    }
}

/// What the contract shows of an event.
pub(crate) fn example() -> Value {
    json!({
        "specversion": "1.0", "id": "4711", "source": "urn:uuid:6f2c1c0e-3c3b-4b7e-9d0a-6b8f5a1f2e3d", "type": "ticket.agent_assigned",
        "subject": crate::view::EXAMPLE_ID, "time": "2026-01-31T09:32:10Z", "datacontenttype": "application/json",
        "position": 4711, "streamversion": 2, "schemaversion": 1,
        "recordedtime": "2026-01-31T09:32:10.001Z", "actorkind": "agent", "actorid": "ada",
        "commandid": "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11",
        "data": {"from": null, "to": "ada", "method": "self"},
    })
}

#[cfg(test)]
mod properties;
