//! The filling of a generation: large pages straight from the log, read ahead by one task, decoded and folded by another,
//! while the ones before are written. A page that can't simply be folded and written is applied as the live one would.

use std::collections::HashSet;
use std::pin::pin;
use std::time::Instant;

use eventstore::{EventStore, Position, RecordedEvent, StoreError, StreamId};
use futures_util::TryStreamExt;
use sqlx::{PgConnection, PgPool};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::generations;
use crate::metrics::METRICS;
use crate::projection::{Changes, Content, Fact, Incoming, Projection, Writer};
use crate::projector::Projector;
use crate::session::{Halt, Session};

/// How many events are read at once, and folded at once; fewer where they are large.
const PAGE: u16 = 8_000;
/// How many are applied at once as the live one would.
const APPLIED: u16 = 1_000;
/// How many pages wait between two tasks.
const AHEAD: usize = 1;

/// How fast a filling is.
pub(crate) struct Fill {
    store: EventStore,
    pool: PgPool,
    began: Instant,
    from: Position,
}

impl Fill {
    pub(crate) fn new(projector: &Projector, from: Position) -> Self {
        Self { store: projector.store.clone(), pool: projector.pool.clone(), began: Instant::now(), from }
    }

    /// Applies all that there is, up to the log's end.
    pub(crate) async fn drain(&self, session: &mut Session, connection: &mut PgConnection) -> Result<(), Halt> {
        while self.drain_folded(session, connection).await? == Ended::BeforePage {
            let page = read(&self.store, session.projection, session.position, APPLIED).await?;
            session.apply(connection, &page).await?;
            self.report(session, connection, page.len()).await?;
        }
        Ok(())
    }

    /// Writes pages as long as another task can fold them.
    async fn drain_folded(&self, session: &mut Session, connection: &mut PgConnection) -> Result<Ended, Halt> {
        let (decoded, facts) = mpsc::channel(AHEAD);
        let (folded, mut pages) = mpsc::channel(AHEAD);
        let (written, known) = watch::channel(session.position);
        // they end with this, also when this is dropped
        let mut tasks = JoinSet::new();
        tasks.spawn(Log::new(self, session).run(decoded));
        tasks.spawn(Folder::new(self, session, known).run(facts, folded));
        while let Some(page) = pages.recv().await {
            let Some(Page { changes, to, events }) = page? else { return Ok(Ended::BeforePage) };
            if !session.take(connection, changes, to).await? {
                return Ok(Ended::BeforePage);
            }
            written.send_replace(to);
            self.report(session, connection, events).await?;
        }
        // one that panicked has not come to the log's end
        let mut ended = Ended::WithLog;
        while let Some(task) = tasks.join_next().await {
            if task.is_err() {
                ended = Ended::BeforePage;
            }
        }
        Ok(ended)
    }

    async fn report(&self, session: &Session, connection: &mut PgConnection, events: usize) -> Result<(), StoreError> {
        METRICS.applied(session.projection.name(), events);
        let seconds = self.began.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rate = (session.position.0 - self.from.0) as f64 / seconds.max(0.001);
        generations::report_rate(connection, session.projection.name(), session.generation, rate).await
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// All is written.
    WithLog,
    /// The next page is to be applied event by event, if need be.
    BeforePage,
}

/// What is to be applied of a page; `None` where something is to be parked or passed over.
type Decoded = Result<Option<Batch>, StoreError>;
/// A page, folded; `None` where it can't be.
type Folded = Result<Option<Page>, StoreError>;

struct Batch {
    facts: Vec<Fact>,
    to: Position,
    events: usize,
}

struct Page {
    /// None: there was nothing in it that the projection wants.
    changes: Option<Box<dyn Changes>>,
    to: Position,
    events: usize,
}

/// Off the runtime's threads: such work takes tens of milliseconds, and all else that the thread has to do would wait for
/// it. `None`: it panicked.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// Reads and decodes.
struct Log {
    store: EventStore,
    projection: &'static dyn Projection,
    after: Position,
    parked: HashSet<StreamId>,
    skips: HashSet<Position>,
}

impl Log {
    fn new(fill: &Fill, session: &Session) -> Self {
        Self {
            store: fill.store.clone(),
            projection: session.projection,
            after: session.position,
            parked: session.parked.keys().copied().collect(),
            skips: session.skips.clone(),
        }
    }

    /// Sends one page after the other, to the log's end.
    async fn run(self, decoded: mpsc::Sender<Decoded>) {
        let mut pages = pin!(self.store.log_pages(self.after, PAGE));
        loop {
            let page = match pages.try_next().await {
                Ok(None) => return,
                Ok(Some(events)) => Ok(self.decoded(events).await),
                Err(fault) => Err(fault),
            };
            let goes_on = matches!(page, Ok(Some(_)));
            if decoded.send(page).await.is_err() || !goes_on {
                return;
            }
        }
    }

    async fn decoded(&self, events: Vec<RecordedEvent>) -> Option<Batch> {
        let passed_over =
            |event: &RecordedEvent| self.parked.contains(&event.stream_id) || self.skips.contains(&event.position);
        if events.iter().any(passed_over) {
            return None;
        }
        let (projection, count, to) = (self.projection, events.len(), events.last()?.position);
        let facts = apart(move || facts(projection, &events)).await??;
        Some(Batch { facts, to, events: count })
    }
}

/// The events that the projection wants; `None` where one can't be read.
fn facts(projection: &dyn Projection, events: &[RecordedEvent]) -> Option<Vec<Fact>> {
    let mut facts = Vec::with_capacity(events.len());
    for event in events {
        match Incoming::read(projection, event).content {
            Content::Fact(fact) => facts.push(*fact),
            Content::Unwanted => {}
            Content::Unreadable(_) => return None,
        }
    }
    Some(facts)
}

/// Folds, with a writer of its own.
struct Folder {
    pool: PgPool,
    writer: Box<dyn Writer>,
    after: Position,
    /// How far the pages that were folded are written.
    written: watch::Receiver<Position>,
}

impl Folder {
    fn new(fill: &Fill, session: &Session, written: watch::Receiver<Position>) -> Self {
        let writer = session.projection.writer(session.generation);
        Self { pool: fill.pool.clone(), writer, after: session.position, written }
    }

    /// Sends one page after the other, up to one that can't be folded.
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
        let Some(Batch { facts, to, events }) = decoded? else { return Ok(None) };
        if !self.load(&facts).await? {
            return Ok(None);
        }
        let folded = apart(move || {
            self.after = to;
            let changes = if facts.is_empty() { None } else { Some(self.writer.fold(&facts).ok()?) };
            Some((self, Page { changes, to, events }))
        });
        Ok(folded.await.flatten())
    }

    /// Has the writer know what it must of the tickets that these are about. `false`: it can't.
    async fn load(&mut self, facts: &[Fact]) -> Result<bool, StoreError> {
        if self.writer.knows(facts) {
            return Ok(true);
        }
        // it is in the tables once all is written that was folded; who writes may be gone
        let after = self.after;
        if self.written.wait_for(|written| *written >= after).await.is_err() {
            return Ok(false);
        }
        let mut connection = self.pool.acquire().await?;
        Ok(self.writer.load(&mut connection, facts).await.is_ok())
    }
}

async fn read(
    store: &EventStore,
    projection: &dyn Projection,
    after: Position,
    count: u16,
) -> Result<Vec<Incoming>, StoreError> {
    let page = store.read_page(after, count).await?;
    Ok(page.iter().map(|event| Incoming::read(projection, event)).collect())
}

/// Applies what there is up to a position.
pub(super) async fn to(
    store: &EventStore,
    session: &mut Session,
    connection: &mut PgConnection,
    position: Position,
) -> Result<(), Halt> {
    while session.position < position {
        let wanted = u16::try_from(position.0 - session.position.0).unwrap_or(APPLIED).min(APPLIED);
        let page = read(store, session.projection, session.position, wanted).await?;
        if page.is_empty() {
            return Err(Halt::Store(StoreError::Corrupt(format!("the log ends before position {position}"))));
        }
        session.apply(connection, &page).await?;
    }
    Ok(())
}
