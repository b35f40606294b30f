//! Live streams. Each client has a task that takes events from the process's one tailer and hands them
//! over a short queue; a client that does not take them for a while is cut off, and may come back with
//! `Last-Event-ID`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use eventstore::{RecordedEvent, StoreError, StreamId};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::Instrument;

use super::Wanted;
use crate::App;
use crate::admission::LoadClass;
use crate::authenticate::Authenticated;
use crate::problem::Problem;
use crate::view::CloudEventView;

/// How often a comment tells that the connection is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many events may wait for a client, about how many bytes of them, and how long it may leave them there.
const QUEUE: usize = 64;
const QUEUE_BYTES: usize = 128 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether the client's key is still valid.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// An event on its way to the client, with the room that it takes.
type Waiting = (Event, OwnedSemaphorePermit);

pub(super) fn answer(app: App, caller: Authenticated, wanted: Wanted, token: String) -> Result<Response, Problem> {
    let place = app.admission.enter(LoadClass::Stream)?;
    let (queue, events) = mpsc::channel(QUEUE);
    let task = async move {
        let _place = place;
        tokio::select! {
            ended = feed(&app, &caller, wanted, &queue) => {
                if let Err(problem) = ended {
                    tracing::warn!(?problem, "a live stream ended early");
                }
            }
            () = revoked(&app, &token) => tracing::info!("a live stream ended: its key is not valid any more"),
            () = app.drained() => {}
            () = queue.closed() => {}
        }
    };
    tokio::spawn(task.in_current_span());
    let events = stream::unfold(events, |mut events: mpsc::Receiver<Waiting>| async move {
        let (event, _place) = events.recv().await?;
        Some((Ok::<_, Infallible>(event), events))
    });
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("alive");
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // proxies must hand on each event as it comes
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Authorization, Accept"));
    Ok(response)
}

async fn revoked(app: &App, token: &str) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // that the database can't be asked is no reason to send anybody away
        if let Err(desk::AuthError::Invalid | desk::AuthError::Malformed) = app.desk.keys().verify(token).await {
            return;
        }
    }
}

async fn feed(app: &App, caller: &Authenticated, wanted: Wanted, queue: &mpsc::Sender<Waiting>) -> Result<(), Problem> {
    let mut events = events(app, &wanted).await?;
    let room = Arc::new(Semaphore::new(QUEUE_BYTES));
    let mut left = wanted.limit.unwrap_or(i64::MAX);
    while left > 0
        && let Some(recorded) = events.try_next().await?
    {
        if !wanted.takes(&recorded.event_type) {
            continue;
        }
        let Some(seen) = app.desk.seen(&recorded, &caller.0).await? else { continue };
        let shown = CloudEventView::of(&app.config.source, &recorded, &seen);
        let event = Event::default().id(recorded.position.to_string()).event(&recorded.event_type);
        let Ok(event) = event.json_data(&shown) else { continue };
        let bytes = u32::try_from(recorded.bytes().min(QUEUE_BYTES)).unwrap_or(u32::MAX);
        let waiting = async {
            let place = room.clone().acquire_many_owned(bytes).await.ok()?;
            queue.send((event, place)).await.ok()
        };
        if !matches!(tokio::time::timeout(PATIENCE, waiting).await, Ok(Some(()))) {
            tracing::info!("a live stream was cut off: its client does not read");
            return Ok(());
        }
        left -= 1;
    }
    Ok(())
}

/// The events in order: of the whole log, or first those that a ticket has and then those that come.
async fn events(
    app: &App,
    wanted: &Wanted,
) -> Result<BoxStream<'static, Result<Arc<RecordedEvent>, StoreError>>, StoreError> {
    let store = app.desk.store();
    Ok(match wanted.ticket {
        None => store.follow_live(wanted.after).map(Ok).boxed(),
        Some(ticket) => store.follow_stream(StreamId(ticket.0), wanted.after).await?.boxed(),
    })
}
