//! Live streams. Each client has a task that takes events from the process's one tailer and sends them through a short queue. A
//! client that does not read for a while is disconnected, and may come back with `Last-Event-ID`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use desk::AuthError;
use eventstore::{RecordedEvent, StoreError, StreamId};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::Instrument;

use super::filter::EventFilter;
use super::view::CloudEventView;
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::caller::{Authenticated, recheck};
use crate::problem::Problem;

/// The interval of comments that keep the connection alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The bounds of a client's queue: events, bytes, and the time that a full queue is waited for.
const QUEUE: usize = 64;
const QUEUE_BYTES: usize = 128 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);
/// The interval at which the client's key is checked again.
const CHECK_KEY_EVERY: Duration = Duration::from_secs(2);

/// An event on its way to the client, with the memory that it takes.
type Queued = (Event, OwnedSemaphorePermit);

pub(super) fn answer(app: App, caller: Authenticated, filter: EventFilter, token: String) -> Result<Response, Problem> {
    let permit = app.admission.enter(LoadClass::Stream)?;
    let (queue, events) = mpsc::channel(QUEUE);
    let task = async move {
        let _permit = permit;
        tokio::select! {
            ended = feed(&app, &caller, filter, &queue) => {
                if let Err(problem) = ended {
                    tracing::warn!(?problem, "a live stream ended early");
                }
            }
            () = revoked(&app, &token, &caller) => tracing::info!("a live stream ended: its caller may no longer read it"),
            () = app.drained() => {}
            () = queue.closed() => {}
        }
    };
    tokio::spawn(task.in_current_span());
    let events = stream::unfold(events, |mut events: mpsc::Receiver<Queued>| async move {
        let (event, _memory) = events.recv().await?;
        Some((Ok::<_, Infallible>(event), events))
    });
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("alive");
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // proxies must not buffer events
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Authorization, Docket-On-Behalf-Of, Accept"));
    Ok(response)
}

/// Returns when the key is refused, or the person for whom it acts.
async fn revoked(app: &App, token: &str, caller: &Authenticated) {
    loop {
        tokio::time::sleep(CHECK_KEY_EVERY).await;
        match recheck(app, token, &caller.0).await {
            Err(AuthError::Invalid | AuthError::Malformed | AuthError::Blocked) => return,
            // an unreachable database is no reason to disconnect anybody
            Ok(()) | Err(AuthError::Busy | AuthError::Unreadable(_) | AuthError::Store(_)) => {}
        }
    }
}

async fn feed(
    app: &App,
    caller: &Authenticated,
    filter: EventFilter,
    queue: &mpsc::Sender<Queued>,
) -> Result<(), Problem> {
    let mut events = events(app, &filter).await?;
    let room = Arc::new(Semaphore::new(QUEUE_BYTES));
    let mut left = filter.limit.unwrap_or(i64::MAX);
    while left > 0
        && let Some(recorded) = events.try_next().await?
    {
        if !filter.matches(&recorded.event_type) {
            continue;
        }
        let Some(seen) = app.desk.seen(&recorded, &caller.0).await? else { continue };
        let shown = CloudEventView::of(&app.config.source, &recorded, &seen);
        let event = Event::default().id(recorded.position.to_string()).event(&recorded.event_type);
        let event = event.json_data(&shown).expect("views have string keys and no failing serializer");
        let bytes = u32::try_from(recorded.bytes().min(QUEUE_BYTES)).unwrap_or(u32::MAX);
        let waiting = async {
            let memory = room.clone().acquire_many_owned(bytes).await.ok()?;
            queue.send((event, memory)).await.ok()
        };
        if !matches!(tokio::time::timeout(PATIENCE, waiting).await, Ok(Some(()))) {
            tracing::info!("a live stream was disconnected: its client does not read");
            return Ok(());
        }
        left -= 1;
    }
    Ok(())
}

/// The events in order: of the whole log; or those that a ticket has, and then those that come.
async fn events(
    app: &App,
    filter: &EventFilter,
) -> Result<BoxStream<'static, Result<Arc<RecordedEvent>, StoreError>>, StoreError> {
    let store = app.desk.store();
    Ok(match filter.ticket {
        None => store.follow_live(filter.after).map(Ok).boxed(),
        Some(ticket) => store.follow_stream(StreamId(ticket.0), filter.after).await?.boxed(),
    })
}
