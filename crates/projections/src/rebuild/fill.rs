//! Fills a generation with large pages straight from the log: one task reads and decodes, one folds, and this one writes.
//! A page that can't be folded and written as a whole is applied as the live projector would.

use std::collections::HashSet;
use std::pin::pin;
use std::time::Instant;

use eventsourcing::subscription::{Content, Envelope};
use eventstore::{EventStore, Position, RecordedEvent, StoreError, StreamId};
use futures_util::TryStreamExt;
use sqlx::PgPool;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::context::Context;
use crate::generations;
use crate::metrics::METRICS;
use crate::read_model::{Changes, DecodedEvent, ReadModel, Writer};
use crate::session::{GenerationHandler, Session, SessionError, write_folded};

/// The most events in a page; fewer where they are large.
const PAGE: u16 = 8_000;
/// The most events in a page that is applied as the live projector would.
const APPLIED: u16 = 1_000;
/// The number of pages that may wait between two tasks.
const AHEAD: usize = 1;

/// The filling of one generation, and its rate.
pub(crate) struct Fill {
    store: EventStore,
    pool: PgPool,
    began: Instant,
    from: Position,
}

impl Fill {
    pub(crate) fn new(context: &Context, from: Position) -> Self {
        Self { store: context.store.clone(), pool: context.pool.clone(), began: Instant::now(), from }
    }

    /// Applies everything up to the end of the log.
    pub(crate) async fn drain(&self, session: &mut Session) -> Result<(), SessionError> {
        while self.drain_folded(session).await? == Drained::UpToPage {
            let page = read(&self.store, session.handler(), session.position(), APPLIED).await?;
            session.apply(&page).await?;
            self.report(session, page.len()).await?;
        }
        Ok(())
    }

    /// Writes pages as long as they can be folded as a whole.
    async fn drain_folded(&self, session: &mut Session) -> Result<Drained, SessionError> {
        let (decoded, batches) = mpsc::channel(AHEAD);
        let (folded, mut pages) = mpsc::channel(AHEAD);
        let (written, known) = watch::channel(session.position());
        // the tasks end with this function, and when it is dropped
        let mut tasks = JoinSet::new();
        tasks.spawn(Log::new(self, session).run(decoded));
        tasks.spawn(Folder::new(self, session, known).run(batches, folded));
        while let Some(page) = pages.recv().await {
            let Some(Page { changes, to, events }) = page? else { return Ok(Drained::UpToPage) };
            if !write_folded(session, changes, to).await? {
                return Ok(Drained::UpToPage);
            }
            written.send_replace(to);
            self.report(session, events).await?;
        }
        // a task that panicked has not reached the end of the log
        let mut ended = Drained::All;
        while let Some(task) = tasks.join_next().await {
            if task.is_err() {
                ended = Drained::UpToPage;
            }
        }
        Ok(ended)
    }

    async fn report(&self, session: &mut Session, events: usize) -> Result<(), StoreError> {
        let (name, generation) = (session.handler().model.name(), session.handler().generation);
        METRICS.applied(name, events);
        let seconds = self.began.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rate = (session.position().0 - self.from.0) as f64 / seconds.max(0.001);
        generations::report_rate(session.connection(), name, generation, rate).await
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drained {
    /// Everything is written.
    All,
    /// The next page has to be applied by the session, event by event if need be.
    UpToPage,
}

/// A page to fold; `None` where an event of it is to be parked or passed over.
type Decoded = Result<Option<Batch>, StoreError>;
/// A folded page; `None` where it can't be folded.
type Folded = Result<Option<Page>, StoreError>;

struct Batch {
    decoded: Vec<DecodedEvent>,
    to: Position,
    events: usize,
}

struct Page {
    /// `None`: the model selected no event of it.
    changes: Option<Box<dyn Changes>>,
    to: Position,
    events: usize,
}

/// Runs CPU-bound work of tens of milliseconds off the runtime's threads, where it would delay everything else. `None`: it
/// panicked.
async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// Reads and decodes the log.
struct Log {
    store: EventStore,
    model: &'static dyn ReadModel,
    after: Position,
    parked: HashSet<StreamId>,
    skips: HashSet<Position>,
}

impl Log {
    fn new(fill: &Fill, session: &Session) -> Self {
        Self {
            store: fill.store.clone(),
            model: session.handler().model,
            after: session.position(),
            parked: session.parked().keys().copied().collect(),
            skips: session.skips().clone(),
        }
    }

    /// Sends page after page, up to the end of the log.
    async fn run(self, decoded: mpsc::Sender<Decoded>) {
        let mut pages = pin!(self.store.log_pages(self.after, PAGE));
        loop {
            let page = match pages.try_next().await {
                Ok(None) => return,
                Ok(Some(events)) => Ok(self.decode(events).await),
                Err(fault) => Err(fault),
            };
            let more = matches!(page, Ok(Some(_)));
            if decoded.send(page).await.is_err() || !more {
                return;
            }
        }
    }

    async fn decode(&self, events: Vec<RecordedEvent>) -> Option<Batch> {
        let passed_over =
            |event: &RecordedEvent| self.parked.contains(&event.stream_id) || self.skips.contains(&event.position);
        if events.iter().any(passed_over) {
            return None;
        }
        let (model, count, to) = (self.model, events.len(), events.last()?.position);
        let decoded = run_blocking(move || decode_all(model, &events)).await??;
        Some(Batch { decoded, to, events: count })
    }
}

/// The events that the model selects; `None` where one can't be decoded.
fn decode_all(model: &dyn ReadModel, events: &[RecordedEvent]) -> Option<Vec<DecodedEvent>> {
    let mut decoded = Vec::with_capacity(events.len());
    for event in events {
        match DecodedEvent::decode(model, event) {
            Content::Decoded(event) => decoded.push(event),
            Content::NotSelected => {}
            Content::Undecodable(_) => return None,
        }
    }
    Some(decoded)
}

/// Folds with a writer of its own.
struct Folder {
    pool: PgPool,
    writer: Box<dyn Writer>,
    after: Position,
    /// The position up to which folded pages are written.
    written: watch::Receiver<Position>,
}

impl Folder {
    fn new(fill: &Fill, session: &Session, written: watch::Receiver<Position>) -> Self {
        let GenerationHandler { model, generation, .. } = session.handler();
        Self { pool: fill.pool.clone(), writer: model.writer(*generation), after: session.position(), written }
    }

    /// Sends page after page, up to one that can't be folded.
    async fn run(mut self, mut decoded: mpsc::Receiver<Decoded>, pages: mpsc::Sender<Folded>) {
        while let Some(decoded) = decoded.recv().await {
            let (folder, page) = match self.next(decoded).await {
                Ok(Some((folder, page))) => (Some(folder), Ok(Some(page))),
                Ok(None) => (None, Ok(None)),
                Err(fault) => (None, Err(fault)),
            };
            if pages.send(page).await.is_err() {
                return;
            }
            let Some(folder) = folder else { return };
            self = folder;
        }
    }

    async fn next(mut self, decoded: Decoded) -> Result<Option<(Self, Page)>, StoreError> {
        let Some(Batch { decoded, to, events }) = decoded? else { return Ok(None) };
        if !self.load(&decoded).await? {
            return Ok(None);
        }
        let folded = run_blocking(move || {
            self.after = to;
            let changes = if decoded.is_empty() { None } else { Some(self.writer.fold(&decoded).ok()?) };
            Some((self, Page { changes, to, events }))
        });
        Ok(folded.await.flatten())
    }

    /// Loads the rows that the writer needs to fold these events. `false`: it can't.
    async fn load(&mut self, events: &[DecodedEvent]) -> Result<bool, StoreError> {
        if self.writer.is_loaded(events) {
            return Ok(true);
        }
        // the rows are up to date once everything folded so far is written; an error means that the writing task is gone
        let after = self.after;
        if self.written.wait_for(|written| *written >= after).await.is_err() {
            return Ok(false);
        }
        let mut connection = self.pool.acquire().await?;
        Ok(self.writer.load(&mut connection, events).await.is_ok())
    }
}

async fn read(
    store: &EventStore,
    handler: &GenerationHandler,
    after: Position,
    count: u16,
) -> Result<Vec<Envelope<DecodedEvent>>, StoreError> {
    let page = store.read_page(after, count).await?;
    Ok(page.iter().map(|event| Envelope::open(handler, event)).collect())
}

/// Applies everything up to a position.
pub(super) async fn to(store: &EventStore, session: &mut Session, position: Position) -> Result<(), SessionError> {
    while session.position() < position {
        let wanted = u16::try_from(position.0 - session.position().0).unwrap_or(APPLIED).min(APPLIED);
        let page = read(store, session.handler(), session.position(), wanted).await?;
        if page.is_empty() {
            return Err(StoreError::Corrupt(format!("the log ends before position {position}")).into());
        }
        session.apply(&page).await?;
    }
    Ok(())
}
