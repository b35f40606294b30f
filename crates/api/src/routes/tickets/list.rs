//! `GET /v1/tickets`: list and search.

mod names;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};
use projections::{Order, Sort, TicketQuery, Viewer};
use serde_json::{Value, json};
use ticket_aggregate::{Priority, Status, Tag};

use self::names::Names;
use super::view::{TicketListView, TicketView};
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::caller::Authenticated;
use crate::extract::query::{Query, parse_limit};
use crate::guard::Guard;
use crate::handles::Handles;
use crate::problem::{Code, Faults, FieldError, Problem};
use crate::route::Route;
use crate::routes::lists::{LIST_HEADERS, described, linked, page_size};
use crate::routes::read_model::Freshness;
use crate::schema::query_parameter;
use crate::validation::pattern;

const PARAMETERS: &[&str] = &[
    "status",
    "priority",
    "team",
    "assignee",
    "requester",
    "tag",
    "category",
    "created_after",
    "created_before",
    "updated_after",
    "updated_before",
    "q",
    "sort",
    "limit",
    "cursor",
];

const SORTS: &[(&str, Order)] = &[
    ("updated_at", Order::Updated),
    ("created_at", Order::Created),
    ("number", Order::Number),
    ("priority", Order::Priority),
];

pub(super) fn route() -> Route {
    let route = Route::new(Method::GET, "/v1/tickets", Guard::Principal, LoadClass::Query, get(handle)).operation(
        "list_tickets",
        "tickets",
        "List and search tickets",
        "The tickets that you may see, from a read model: `Docket-Position` says how far it has read the log. A ticket matches if \
         all filters match; `q` searches subject, body and messages. Tickets that don't change during a walk through the pages \
         appear exactly once.",
    );
    described(parameters().into_iter().fold(route, Route::parameter)).returns::<TicketListView>(
        StatusCode::OK,
        "A page of the list.",
        LIST_HEADERS,
        &TicketListView::example(),
    )
}

fn parameters() -> Vec<Value> {
    let line =
        |longest: usize| json!({"type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern("line")});
    let words = |of: Vec<&str>| json!({"type": "string", "pattern": format!("^({0})(,({0}))*$", of.join("|"))});
    // PostgreSQL accepts no NUL
    let text = json!({"type": "string", "minLength": 1, "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$"});
    let time = json!({"type": "string", "format": "date-time"});
    let sorts = SORTS.iter().flat_map(|(name, _)| [(*name).to_owned(), format!("-{name}")]).collect::<Vec<_>>();
    let described = [
        (
            "status",
            "One or more of new, open, pending, on_hold, resolved, closed, separated by commas.",
            words(Status::ALL.iter().map(|word| word.as_str()).collect()),
            "new,open",
        ),
        (
            "priority",
            "One or more of low, normal, high, urgent, separated by commas.",
            words(Priority::ALL.iter().map(|word| word.as_str()).collect()),
            "high,urgent",
        ),
        ("team", "The team whose queue the ticket is in: its handle or id; `none`: no team's.", line(64), "facilities"),
        ("assignee", "The agent who has the ticket: their handle or id; `none`: nobody.", line(64), "ada"),
        (
            "requester",
            "The person who asks: their e-mail address or id. People who were merged into them count.",
            line(254),
            "grace@example.com",
        ),
        ("tag", "A tag of the ticket.", line(100), "printer"),
        ("category", "The category.", text.clone(), "hardware"),
        (
            "q",
            "Full-text search: words that must occur, \"a phrase\", one or another, -without.",
            text,
            "printer -paper",
        ),
    ];
    let mut parameters: Vec<_> = described
        .iter()
        .map(|(name, what, schema, example)| query_parameter(name, what, schema, &json!(example)))
        .collect();
    let times = [
        ("created_after", "Opened after this time (RFC 3339)."),
        ("created_before", "Opened before this time."),
        ("updated_after", "Changed after this time."),
        ("updated_before", "Changed before this time."),
    ];
    let example = json!("2026-01-31T09:30:00Z");
    parameters.extend(times.iter().map(|(name, what)| query_parameter(name, what, &time, &example)));
    parameters.push(query_parameter(
        "sort",
        "Sort order; a minus means descending (default -updated_at). Ties are ordered by id.",
        &json!({"type": "string", "enum": sorts}),
        &json!("-updated_at"),
    ));
    parameters
}

async fn handle(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let given = Query::read(query.as_deref(), PARAMETERS)?;
    let (query, names) = read(&given, Viewer::of(&caller))?;
    let asked = Freshness::read(&headers)?;
    let query = names.resolve(&app, query).await?;
    let page = app.read_models.tickets(&query, asked.at_least).await?;
    let handles = Handles::of_tickets(&app, page.items.iter().map(|row| &row.ticket)).await?;
    let items = page.items.iter().map(|row| TicketView::new(row.id, row.version, &row.ticket, &handles, &caller));
    let items = items.collect();
    let next = page.next.clone();
    let response = Json(TicketListView { items, next_cursor: page.next }).into_response();
    let response = linked("/v1/tickets", &given, next.as_ref(), response);
    Ok(asked.answered(response, page.position))
}

/// Reads the parameters and collects their faults.
struct Reading<'a> {
    query: &'a Query,
    faults: Faults,
}

impl Reading<'_> {
    fn one<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.query.text(name)?;
        self.faults.take(parse(text).map_err(|detail| FieldError::new(format!("?{name}"), detail)))
    }

    fn time(&mut self, name: &str) -> Option<DateTime<Utc>> {
        self.one(name, |text| match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(time.to_utc()),
            Err(_) => Err("a time after RFC 3339 is needed, such as 2026-01-31T09:30:00Z (+ is %2B)".to_owned()),
        })
    }

    fn words<T: std::str::FromStr>(&mut self, name: &str) -> Vec<T>
    where
        T::Err: std::fmt::Display,
    {
        let words = |text: &str| text.split(',').map(|word| to_message(word.parse())).collect::<Result<Vec<T>, _>>();
        self.one(name, words).unwrap_or_default()
    }
}

fn to_message<T>(result: Result<T, impl std::fmt::Display>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn not_blank(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("must not be blank".to_owned()) } else { Ok(text.to_owned()) }
}

/// The query, but for the records that it names.
fn read(query: &Query, viewer: Viewer) -> Result<(TicketQuery, Names), Problem> {
    let mut reading = Reading { query, faults: Faults::default() };
    let names = Names {
        team: reading.one("team", names::or_none),
        assignee: reading.one("assignee", names::or_none),
        requester: reading.one("requester", |text| to_message(text.parse())),
    };
    let query = TicketQuery {
        viewer,
        status: reading.words::<Status>("status"),
        priority: reading.words::<Priority>("priority"),
        team: None,
        assignee: None,
        requester: Vec::new(),
        tag: reading.one("tag", |text| to_message(Tag::parse(text))),
        category: reading.one("category", not_blank),
        created_after: reading.time("created_after"),
        created_before: reading.time("created_before"),
        updated_after: reading.time("updated_after"),
        updated_before: reading.time("updated_before"),
        q: reading.one("q", not_blank),
        sort: reading.one("sort", sort).unwrap_or(Sort { order: Order::Updated, descending: true }),
        limit: page_size(reading.one("limit", parse_limit)),
        cursor: reading.one("cursor", |text| Ok(text.to_owned())),
    };
    if reading.faults.is_empty() {
        Ok((query, names))
    } else {
        Err(Problem::faults(Code::InvalidQuery, reading.faults))
    }
}

fn sort(text: &str) -> Result<Sort, String> {
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let known = SORTS.iter().find(|(known, _)| *known == name);
    let names = || SORTS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    known
        .map(|(_, order)| Sort { order: *order, descending })
        .ok_or_else(|| format!("one of {}, or one with a minus before it", names()))
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_is_clamped() {
        for (text, taken) in [("1", 1), ("200", 200), ("201", 200), ("99999999999999999999", 200), ("007", 7)] {
            let given = Query::read(Some(&format!("limit={text}")), PARAMETERS).unwrap();
            assert_eq!(read(&given, Viewer::Everything).unwrap().0.limit, taken, "{text}");
        }
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let given = Query::read(Some("status=new,bad&limit=0&sort=up&created_after=now&q=%20"), PARAMETERS).unwrap();
        let refused = format!("{:?}", read(&given, Viewer::Everything).unwrap_err());
        for name in ["status", "limit", "sort", "created_after", "q"] {
            assert!(refused.contains(&format!("\"?{name}\"")), "{name}: {refused}");
        }
    }
}
