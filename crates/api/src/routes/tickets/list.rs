//! `GET /v1/tickets`: list and search.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};
use projections::{Order, Sort, TicketQuery};
use serde_json::{Value, json};
use shared_kernel::{AgentId, Requester, TeamId};
use ticket_aggregate::{Priority, Status, Tag};

use crate::App;
use crate::admission::LoadClass;
use crate::authenticate::Authenticated;
use crate::guard::Guard;
use crate::problem::{Code, FieldError, Problem};
use crate::query::{Query, limit};
use crate::route::{Operation, Route, json_of, limit_parameter, query_parameter};
use crate::routes::read_model::{Asked, described, viewer};
use crate::validation::pattern;
use crate::view::{TicketListView, TicketView};

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

/// How many tickets a page has: at the most, and where nothing else is asked for.
const LIMIT: (u16, u16) = (200, 50);

pub(crate) fn route() -> Route {
    let operation = Operation::new(
        "list_tickets",
        "tickets",
        "List and search tickets",
        "Those that you may see, from a read model: `Docket-Position` says how far it has read the log. Filters narrow the list together; `q` finds words of the subject, the body and the messages. Tickets that don't change during a walk from page to page appear exactly once.",
    );
    let operation = parameters().into_iter().fold(operation, Operation::parameter);
    Route {
        method: Method::GET,
        path: "/v1/tickets",
        guard: Guard::Principal,
        load: LoadClass::Query,
        documented: true,
        operation: described(operation)
            .success(
                StatusCode::OK,
                "A page of the list.",
                &["Docket-Position", "Link", "Preference-Applied"],
                json_of("TicketList", &TicketListView::example()),
            )
            .errors(&[Code::InvalidCursor]),
        handler: get(list),
    }
}

fn parameters() -> Vec<Value> {
    let line =
        |longest: usize| json!({"type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern("line")});
    let words = |of: Vec<&str>| json!({"type": "string", "pattern": format!("^({0})(,({0}))*$", of.join("|"))});
    let address = json!({"type": "string", "maxLength": 254, "pattern": pattern("address")});
    // PostgreSQL takes no NUL
    let said = json!({"type": "string", "minLength": 1, "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$"});
    let time = json!({"type": "string", "format": "date-time"});
    let sorts = SORTS.iter().flat_map(|(name, _)| [(*name).to_owned(), format!("-{name}")]).collect::<Vec<_>>();
    let described = [
        (
            "status",
            "One or several of new, open, pending, on_hold, resolved, closed, with commas between them.",
            words(Status::ALL.iter().map(|word| word.as_str()).collect()),
            "new,open",
        ),
        (
            "priority",
            "One or several of low, normal, high, urgent, with commas between them.",
            words(Priority::ALL.iter().map(|word| word.as_str()).collect()),
            "high,urgent",
        ),
        ("team", "In this team's queue.", line(64), "facilities"),
        ("assignee", "Had by this agent.", line(64), "ada"),
        ("requester", "Asked for by this address.", address, "grace@example.com"),
        ("tag", "Having this tag.", line(100), "printer"),
        ("category", "Of this category.", said.clone(), "hardware"),
        ("q", "Words that must occur; \"a phrase\", either or other, -without.", said, "printer -paper"),
    ];
    let mut parameters: Vec<_> = described
        .iter()
        .map(|(name, what, schema, example)| query_parameter(name, what, schema, &json!(example)))
        .collect();
    let times = [
        ("created_after", "Opened later than this time (RFC 3339)."),
        ("created_before", "Opened earlier than this time."),
        ("updated_after", "Changed later than this time."),
        ("updated_before", "Changed earlier than this time."),
    ];
    let example = json!("2026-01-31T09:30:00Z");
    parameters.extend(times.iter().map(|(name, what)| query_parameter(name, what, &time, &example)));
    parameters.push(query_parameter(
        "sort",
        "By what, a minus for the most first; tickets of the same are ordered by their ids. -updated_at if not given.",
        &json!({"type": "string", "enum": sorts}),
        &json!("-updated_at"),
    ));
    parameters.push(limit_parameter("How many at the most: 50 if not given, more than 200 are 200."));
    parameters.push(query_parameter(
        "cursor",
        "The next_cursor of the page before, with the same filters and the same order.",
        &json!({"type": "string", "minLength": 1}),
        &json!("00"),
    ));
    parameters
}

async fn list(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let given = Query::read(query.as_deref(), PARAMETERS)?;
    let query = read(&given, viewer(&caller))?;
    let asked = Asked::read(&headers)?;
    let page = app.read_models.tickets(&query, asked.at_least).await?;
    let items = page.items.iter().map(|row| TicketView::new(row.id, row.version, &row.ticket, &caller)).collect();
    let link = page.next.as_ref().map(|cursor| format!("</v1/tickets?{}>; rel=\"next\"", given.with("cursor", cursor)));
    let mut response = Json(TicketListView { items, next_cursor: page.next }).into_response();
    if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(asked.answered(response, page.position))
}

/// The parameters as they are read, and every fault in them.
struct Reading<'a> {
    query: &'a Query,
    faults: Vec<FieldError>,
}

impl Reading<'_> {
    fn one<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.query.text(name)?;
        parse(text).map_err(|detail| self.faults.push(FieldError::new(format!("?{name}"), detail))).ok()
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
        let words = |text: &str| text.split(',').map(|word| said(word.parse())).collect::<Result<Vec<T>, _>>();
        self.one(name, words).unwrap_or_default()
    }
}

fn said<T>(result: Result<T, impl std::fmt::Display>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn not_blank(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("this must not be blank".to_owned()) } else { Ok(text.to_owned()) }
}

fn read(query: &Query, viewer: projections::Viewer) -> Result<TicketQuery, Problem> {
    let mut reading = Reading { query, faults: Vec::new() };
    let query = TicketQuery {
        viewer,
        status: reading.words::<Status>("status"),
        priority: reading.words::<Priority>("priority"),
        team: reading.one("team", |text| said(TeamId::parse(text))),
        assignee: reading.one("assignee", |text| said(AgentId::parse(text))),
        requester: reading.one("requester", |text| said(Requester::parse(text, None))),
        tag: reading.one("tag", |text| said(Tag::parse(text))),
        category: reading.one("category", not_blank),
        created_after: reading.time("created_after"),
        created_before: reading.time("created_before"),
        updated_after: reading.time("updated_after"),
        updated_before: reading.time("updated_before"),
        q: reading.one("q", not_blank),
        sort: reading.one("sort", sort).unwrap_or(Sort { order: Order::Updated, descending: true }),
        limit: reading.one("limit", limit).map_or(LIMIT.1, |n| u16::try_from(n).unwrap_or(LIMIT.0).min(LIMIT.0)),
        cursor: reading.one("cursor", |text| Ok(text.to_owned())),
    };
    if reading.faults.is_empty() { Ok(query) } else { Err(Problem::invalid(Code::InvalidQuery, reading.faults)) }
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
    fn a_limit_is_clamped() {
        for (text, taken) in [("1", 1), ("200", 200), ("201", 200), ("99999999999999999999", 200), ("007", 7)] {
            let given = Query::read(Some(&format!("limit={text}")), PARAMETERS).unwrap();
            assert_eq!(read(&given, projections::Viewer::Everything).unwrap().limit, taken, "{text}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let given = Query::read(Some("status=new,bad&limit=0&sort=up&created_after=now&q=%20"), PARAMETERS).unwrap();
        let mut reading = Reading { query: &given, faults: Vec::new() };
        assert!(reading.words::<Status>("status").is_empty());
        assert!(read(&given, projections::Viewer::Everything).is_err());
    }
}
