use std::pin::pin;
use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use desk::{Caller, PAGE_BYTES};
use eventstore::{RecordedEvent, StoreError, StreamId, StreamRange};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};

use super::Wanted;
use crate::App;
use crate::problem::Problem;
use crate::view::{CloudEventView, EventsView};

/// How many events are looked at for one page: who sees few of them gets a short page, and the next one.
const SCANNED: usize = 10_000;

pub(super) async fn answer(app: &App, caller: &Arc<Caller>, wanted: Wanted) -> Result<Response, Problem> {
    let limit = usize::try_from(wanted.page_size()).unwrap_or_default();
    let (mut items, mut bytes) = (Vec::new(), 0);
    let mut last = wanted.after;
    let mut scanned = 0;
    let mut more = false;
    let mut pages = pin!(pages(app, &wanted));
    'pages: while let Some(page) = pages.try_next().await? {
        for event in page.iter().filter(|event| event.position > wanted.after) {
            if items.len() == limit || bytes >= PAGE_BYTES || scanned == SCANNED {
                more = true;
                break 'pages;
            }
            scanned += 1;
            last = event.position;
            if wanted.takes(&event.event_type)
                && let Some(seen) = app.desk.seen(event, caller).await?
            {
                bytes += event.bytes();
                items.push(CloudEventView::of(&app.config.source, event, &seen));
            }
        }
    }
    let next_cursor = more.then(|| last.to_string());
    let mut response = Json(EventsView { items, next_cursor }).into_response();
    let path = wanted.ticket.map_or_else(|| "/v1/events".to_owned(), |id| format!("/v1/tickets/{id}/events"));
    if more && let Ok(link) = HeaderValue::try_from(format!("<{path}?{}>; rel=\"next\"", wanted.next(last))) {
        response.headers_mut().insert(header::LINK, link);
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Authorization, Accept"));
    Ok(response)
}

/// What there is: of all after a position, or of a ticket.
fn pages<'a>(app: &'a App, wanted: &Wanted) -> BoxStream<'a, Result<Vec<RecordedEvent>, StoreError>> {
    let store = app.desk.store();
    match wanted.ticket {
        None => store.log_pages(wanted.after, 1_000).boxed(),
        Some(ticket) => store.stream_pages(StreamId(ticket.0), StreamRange::default()).boxed(),
    }
}
