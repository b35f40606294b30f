//! What is read from a ticket page by page: its history, its conversation.

use std::sync::Arc;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use desk::{AsOf, Caller, Entry, VersionedTicket};
use eventstore::Version;
use serde_json::json;
use ticket_aggregate::TicketId;

use crate::App;
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::route::{Operation, limit_parameter, query_parameter};

/// How many items a page has: at the most, and where nothing else is asked for.
const LIMIT: (i64, i64) = (200, 50);

/// What was asked for, and where it goes on.
pub(super) struct Page {
    ticket: TicketId,
    limit: i64,
    next: Option<Version>,
}

impl Page {
    /// Reads a page of what is wanted of a ticket.
    pub(super) async fn read(
        app: &App,
        ticket: TicketId,
        caller: &Arc<Caller>,
        query: Option<&str>,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<(Self, Arc<VersionedTicket>, Vec<Entry>), Problem> {
        let (after, limit) = match asked(query) {
            Ok(asked) => asked,
            // 404 goes before 400
            Err(problem) => {
                return Err(app.desk.ticket(ticket, AsOf::Now, caller).await.err().map_or(problem, Into::into));
            }
        };
        let size = usize::try_from(limit).unwrap_or_default();
        let (folded, entries, next) = app.desk.history_page(ticket, caller, Version(after), size, wanted).await?;
        Ok((Self { ticket, limit, next }, folded, entries))
    }

    /// A version is a cursor that holds for ever: what is behind it does not change.
    pub(super) fn next_cursor(&self) -> Option<String> {
        self.next.map(|version| version.to_string())
    }

    /// The answer, with the way to the next page: `noun` is what the path calls it.
    pub(super) fn linked(&self, noun: &str, mut response: Response) -> Response {
        let next = self.next.map(|next| {
            format!("</v1/tickets/{}/{noun}?cursor={next}&limit={}>; rel=\"next\"", self.ticket, self.limit)
        });
        if let Some(link) = next.and_then(|link| HeaderValue::try_from(link).ok()) {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

fn asked(query: Option<&str>) -> Result<(i64, i64), Problem> {
    let query = Query::read(query, &["cursor", "limit"])?;
    match (query.positive("cursor"), query.limit()) {
        (Ok(cursor), Ok(limit)) => Ok((cursor.unwrap_or(0), limit.unwrap_or(LIMIT.1).min(LIMIT.0))),
        (Err(one), Err(other)) => Err(one.and(other)),
        (Err(problem), Ok(_)) | (Ok(_), Err(problem)) => Err(problem),
    }
}

/// What the contract says of every such page.
pub(super) fn paged(operation: Operation) -> Operation {
    let cursor = json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX});
    operation
        .parameter(query_parameter("cursor", "The next_cursor of the page before.", &cursor, &json!(50)))
        .parameter(limit_parameter("How many at the most: 50 if not given, more than 200 are 200. A page ends earlier where it has come to 1 MiB."))
        .errors(&[Code::InvalidQuery])
}
