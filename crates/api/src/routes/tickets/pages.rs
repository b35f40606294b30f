//! What is read from a ticket page by page: its history, its conversation.

use std::sync::Arc;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use desk::{Entry, VersionedTicket};
use eventstore::Version;
use serde_json::json;
use shared_kernel::Principal;
use ticket_aggregate::TicketId;

use super::view::TICKET;
use crate::app::App;
use crate::extract::query::{Query, both};
use crate::problem::{Code, Problem};
use crate::route::Route;
use crate::schema::{limit_parameter, query_parameter};

/// The maximum and the default size of a page.
const LIMIT: (i64, i64) = (200, 50);

/// A page: its size, and the start of the next one.
pub(super) struct Page {
    ticket: TicketId,
    limit: i64,
    next: Option<Version>,
}

impl Page {
    /// Reads a page of those entries of a ticket that are wanted.
    pub(super) async fn read(
        app: &App,
        ticket: TicketId,
        caller: &Arc<Principal>,
        query: Option<&str>,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<(Self, Arc<VersionedTicket>, Vec<Entry>), Problem> {
        let (after, limit) = asked(query)?;
        let size = usize::try_from(limit).expect("between 1 and the maximum");
        let (folded, entries, next) = app.desk.history_page(ticket, caller, Version(after), size, wanted).await?;
        Ok((Self { ticket, limit, next }, folded, entries))
    }

    /// A version is a cursor that never expires: what comes before it does not change.
    pub(super) fn next_cursor(&self) -> Option<String> {
        self.next.map(|version| version.to_string())
    }

    /// The answer with a link to the next page. `noun` is the last segment of the path.
    pub(super) fn linked(&self, noun: &str, mut response: Response) -> Response {
        let next = self.next.map(|next| {
            format!("</v1/tickets/{}/{noun}?cursor={next}&limit={}>; rel=\"next\"", self.ticket, self.limit)
        });
        if let Some(link) = next {
            let link = HeaderValue::try_from(link).expect("a path and numbers are visible ASCII");
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

fn asked(query: Option<&str>) -> Result<(i64, i64), Problem> {
    let query = Query::read(query, &["cursor", "limit"])?;
    let (cursor, limit) = both(query.positive("cursor"), query.limit())?;
    Ok((cursor.unwrap_or(0), limit.unwrap_or(LIMIT.1).min(LIMIT.0)))
}

/// The route of such a page.
pub(super) fn paged(route: Route) -> Route {
    let cursor = json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX});
    route
        .resource(TICKET)
        .parameter(query_parameter("cursor", "The next_cursor of the previous page.", &cursor, &json!(50)))
        .parameter(limit_parameter("Page size (default 50, maximum 200). A page also ends at 1 MiB."))
        .next_page("cursor")
        .errors(&[Code::InvalidQuery])
}
