//! What is read from a record page by page: its history, a ticket's conversation.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use eventstore::Version;
use serde_json::json;

use crate::extract::query::{Query, both};
use crate::problem::{Code, Problem};
use crate::route::Route;
use crate::schema::{limit_parameter, query_parameter};

/// The maximum and the default size of a page.
const LIMIT: (i64, i64) = (200, 50);

/// A page as it is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// Only what comes after this version.
    pub(super) after: Version,
    limit: i64,
}

impl Page {
    pub(super) fn read(query: Option<&str>) -> Result<Self, Problem> {
        let query = Query::read(query, &["cursor", "limit"])?;
        let (cursor, limit) = both(query.positive("cursor"), query.limit())?;
        Ok(Self { after: Version(cursor.unwrap_or(0)), limit: limit.unwrap_or(LIMIT.1).min(LIMIT.0) })
    }

    /// How many entries it has at the most.
    pub(super) fn size(self) -> usize {
        usize::try_from(self.limit).expect("between 1 and the maximum")
    }

    /// The answer with a link to the next page, which goes on after a version of what is under this path.
    pub(super) fn linked(self, path: &str, next: Option<Version>, mut response: Response) -> Response {
        let link = next.map(|next| format!("<{path}?cursor={next}&limit={}>; rel=\"next\"", self.limit));
        if let Some(link) = link {
            let link = HeaderValue::try_from(link).expect("a path and numbers are visible ASCII");
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// A version is a cursor that never expires: what comes before it does not change.
pub(super) fn cursor(next: Option<Version>) -> Option<String> {
    next.map(|version| version.to_string())
}

/// The route of such a page.
pub(super) fn paged(route: Route) -> Route {
    let cursor = json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX});
    route
        .parameter(query_parameter("cursor", "The next_cursor of the previous page.", &cursor, &json!(50)))
        .parameter(limit_parameter("Page size (default 50, maximum 200). A page also ends at 1 MiB."))
        .next_page("cursor")
        .errors(&[Code::InvalidQuery])
}
