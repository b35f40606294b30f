use std::future::ready;
use std::pin::pin;
use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use desk::{Caller, PAGE_BYTES};
use eventstore::{Fault, RecordedEvent, StreamId, StreamRange};
use futures_util::stream::{self, BoxStream};
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
    let mut events = pin!(events(app, &wanted));
    while let Some(event) = events.try_next().await? {
        if items.len() == limit || bytes >= PAGE_BYTES || scanned == SCANNED {
            more = true;
            break;
        }
        scanned += 1;
        last = event.position;
        if wanted.takes(&event.event_type)
            && let Some(seen) = app.desk.seen(&event, caller).await?
        {
            bytes += event.bytes();
            items.push(CloudEventView::of(&event, &seen));
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

/// What there is after a position, of a ticket or of all, read as it is taken.
fn events<'a>(app: &'a App, wanted: &Wanted) -> BoxStream<'a, Result<RecordedEvent, Fault>> {
    let (store, after) = (app.desk.store(), wanted.after);
    let Some(ticket) = wanted.ticket else { return store.read_log(after).boxed() };
    let pages = store.stream_pages(StreamId(ticket.0), StreamRange::default());
    let events = pages.map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten();
    events.try_skip_while(move |event| ready(Ok(event.position <= after))).boxed()
}
