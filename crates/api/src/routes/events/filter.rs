//! Which events are asked for.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, header};
use eventstore::Position;
use ticket_aggregate::TicketId;

use crate::event_types;
use crate::extract::query::{Query, invalid_query};
use crate::problem::{Code, Problem};

const LAST_EVENT_ID: &str = "last-event-id";
/// The default and the maximum size of a page.
const LIMIT: (i64, i64) = (50, 200);

/// A part of the log.
#[derive(Clone, Debug)]
pub(super) struct EventFilter {
    /// None: all records that the caller may see.
    pub(super) ticket: Option<TicketId>,
    pub(super) after: Position,
    /// Empty: all types.
    types: BTreeSet<String>,
    pub(super) limit: Option<i64>,
}

/// The wire names of all event types.
pub(super) fn type_names() -> impl Iterator<Item = &'static str> {
    event_types::all().map(|known| known.name)
}

/// Reads the filter from a request.
pub(super) fn read(ticket: Option<TicketId>, query: Option<&str>, headers: &HeaderMap) -> Result<EventFilter, Problem> {
    let query = Query::read(query, &["after", "limit", "type"])?;
    let after = query.natural("after")?.unwrap_or(0);
    // a malformed one is refused also where it would not be used
    let resumed = last_event_id(headers)?.filter(|_| is_live(headers));
    let types = query.text("type").map(|types| types.split(',').map(str::to_owned).collect()).unwrap_or_default();
    known(&types)?;
    let limit = query.limit()?;
    Ok(EventFilter { ticket, after: Position(resumed.unwrap_or(after)), types, limit })
}

fn known(types: &BTreeSet<String>) -> Result<(), Problem> {
    match types.iter().find(|name| !type_names().any(|known| known == name.as_str())) {
        Some(name) => {
            Err(invalid_query("type", &format!("there is no event type {name:?}; /asyncapi.json lists them")))
        }
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

impl EventFilter {
    pub(super) fn matches(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.contains(kind)
    }

    pub(super) fn page_size(&self) -> i64 {
        self.limit.unwrap_or(LIMIT.0).min(LIMIT.1)
    }

    /// The query of the next page.
    pub(super) fn next(&self, after: Position) -> String {
        let mut query = format!("after={after}&limit={}", self.page_size());
        if !self.types.is_empty() {
            let types = self.types.iter().map(String::as_str).collect::<Vec<_>>();
            query.push_str("&type=");
            query.push_str(&types.join(","));
        }
        query
    }
}

/// Whether the client asks for a stream: the media type in so many words, not a wildcard.
pub(super) fn is_live(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accept.flat_map(|value| value.split(',')).any(|range| {
        range.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("text/event-stream"))
    })
}

#[cfg(test)]
mod properties;
