use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use desk::Caller;
use eventstore::{Position, RecordedEvent, StreamId, StreamRange};

use super::Wanted;
use crate::App;
use crate::problem::Problem;
use crate::view::{CloudEventView, EventsView};

/// How many events are looked at for one page: who sees few of them gets a short page, and the next one.
const SCANNED: usize = 10_000;

pub(super) async fn answer(app: &App, caller: &Arc<Caller>, wanted: Wanted) -> Result<Response, Problem> {
    let limit = usize::try_from(wanted.page_size()).unwrap_or_default();
    let mut items = Vec::new();
    let mut last = wanted.after;
    let mut scanned = 0;
    let more = 'pages: loop {
        let events = page(app, &wanted, last).await.map_err(Problem::from)?;
        let end = events.is_empty();
        for event in events {
            if items.len() == limit || scanned == SCANNED {
                break 'pages true;
            }
            scanned += 1;
            last = event.position;
            if wanted.takes(&event.event_type)
                && let Some(seen) = app.desk.seen(&event, caller).await?
            {
                items.push(CloudEventView::of(&event, &seen));
            }
        }
        // a ticket's events come at once
        if end || wanted.ticket.is_some() {
            break false;
        }
    };
    let next_cursor = more.then(|| last.to_string());
    let mut response = Json(EventsView { items, next_cursor }).into_response();
    let path = wanted.ticket.map_or_else(|| "/v1/events".to_owned(), |id| format!("/v1/tickets/{id}/events"));
    if more && let Ok(link) = HeaderValue::try_from(format!("<{path}?{}>; rel=\"next\"", wanted.next(last))) {
        response.headers_mut().insert(header::LINK, link);
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Authorization, Accept"));
    Ok(response)
}

async fn page(app: &App, wanted: &Wanted, after: Position) -> Result<Vec<RecordedEvent>, eventstore::Fault> {
    let store = app.desk.store();
    let Some(ticket) = wanted.ticket else { return store.read_page(after, 1_000).await };
    let events = store.read_stream(StreamId(ticket.0), StreamRange::default()).await?;
    Ok(events.into_iter().filter(|event| event.position > after).collect())
}
