use std::pin::pin;
use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use desk::PAGE_BYTES;
use eventstore::{RecordedEvent, StoreError, StreamId, StreamRange};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use shared_kernel::Principal;

use super::filter::EventFilter;
use super::view::{CloudEventView, EventsView};
use crate::app::App;
use crate::problem::Problem;

/// The most events that are read for one page. A caller who may see few of them gets a short page, and a next one.
const SCANNED: usize = 10_000;

pub(super) async fn answer(app: &App, caller: &Arc<Principal>, filter: EventFilter) -> Result<Response, Problem> {
    let limit = usize::try_from(filter.page_size()).expect("between 1 and the maximum");
    let (mut items, mut bytes) = (Vec::new(), 0);
    let mut last = filter.after;
    let mut scanned = 0;
    let mut more = false;
    let mut pages = pin!(pages(app, &filter));
    'pages: while let Some(page) = pages.try_next().await? {
        for event in page.iter().filter(|event| event.position > filter.after) {
            if items.len() == limit || bytes >= PAGE_BYTES || scanned == SCANNED {
                more = true;
                break 'pages;
            }
            scanned += 1;
            last = event.position;
            if filter.matches(&event.event_type)
                && let Some(seen) = app.desk.seen(event, caller).await?
            {
                bytes += event.bytes();
                items.push(CloudEventView::of(&app.config.source, event, &seen));
            }
        }
    }
    let next_cursor = more.then(|| last.to_string());
    let mut response = Json(EventsView { items, next_cursor }).into_response();
    let path = filter.ticket.map_or_else(|| "/v1/events".to_owned(), |id| format!("/v1/tickets/{id}/events"));
    if more {
        let link = format!("<{path}?{}>; rel=\"next\"", filter.next(last));
        let link = HeaderValue::try_from(link).expect("types and numbers are visible ASCII");
        response.headers_mut().insert(header::LINK, link);
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Authorization, Docket-On-Behalf-Of, Accept"));
    Ok(response)
}

/// The events of the log after a position, or of a ticket.
fn pages<'a>(app: &'a App, filter: &EventFilter) -> BoxStream<'a, Result<Vec<RecordedEvent>, StoreError>> {
    let store = app.desk.store();
    match filter.ticket {
        None => store.log_pages(filter.after, 1_000).boxed(),
        Some(ticket) => store.stream_pages(StreamId(ticket.0), StreamRange::default()).boxed(),
    }
}
