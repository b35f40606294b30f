//! What the lists of read models have in common: pages, and the link to the next one.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::json;

use super::read_model;
use crate::extract::query::Query;
use crate::problem::{Code, Problem};
use crate::route::Route;
use crate::schema::{limit_parameter, query_parameter};

/// The maximum and the default size of a page.
const LIMIT: (u16, u16) = (200, 50);
/// The headers of a page.
pub(super) const LIST_HEADERS: &[&str] = &["Docket-Position", "Link", "Preference-Applied"];

/// The size of a page, of the number that was given.
pub(super) fn page_size(limit: Option<i64>) -> u16 {
    limit.map_or(LIMIT.1, |limit| u16::try_from(limit).unwrap_or(LIMIT.0).min(LIMIT.0))
}

/// The size of the page that is asked for, and its cursor.
pub(super) fn page_of(query: &Query) -> Result<(u16, Option<String>), Problem> {
    Ok((page_size(query.limit()?), query.text("cursor").map(str::to_owned)))
}

/// A page with a link to the next one, which has the same filters.
pub(super) fn linked(path: &str, given: &Query, next: Option<&String>, mut response: Response) -> Response {
    if let Some(cursor) = next {
        let link = format!("<{path}?{}>; rel=\"next\"", given.with("cursor", cursor));
        let link = HeaderValue::try_from(link).expect("a query is percent-encoded");
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// The route of a list; its own parameters come before.
pub(super) fn described(route: Route) -> Route {
    let cursor = query_parameter(
        "cursor",
        "The next_cursor of the previous page, with the same filters and the same order.",
        &json!({"type": "string", "minLength": 1}),
        &json!("00"),
    );
    let route = route.parameter(limit_parameter("Page size (default 50, maximum 200).")).parameter(cursor);
    read_model::described(route).next_page("cursor").errors(&[Code::InvalidCursor])
}
