//! The filling of a generation: large pages straight from the log, read, decoded and folded by a task of its own while
//! the ones before are written. A page that can't simply be folded and written is applied as the live one would.

use std::collections::HashSet;
use std::time::Instant;

use eventstore::{EventStore, Fault, Position, StreamId};
use sqlx::{PgConnection, PgPool};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::generations;
use crate::metrics::METRICS;
use crate::projection::{Changes, Content, Fact, Incoming, Projection, Writer};
use crate::projector::Projector;
use crate::session::{Halt, Session};

/// How many events are read at once, and applied at once.
const PAGE: u16 = 8_000;
/// How many pages wait to be written.
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
            let page = read(&self.store, session.projection, session.position, PAGE).await?;
            session.apply(connection, &page).await?;
            self.report(session, connection, page.len()).await?;
        }
        Ok(())
    }

    /// Writes pages as long as another task can fold them.
    async fn drain_folded(&self, session: &mut Session, connection: &mut PgConnection) -> Result<Ended, Halt> {
        let (ahead, mut pages) = mpsc::channel(AHEAD);
        let (written, known) = watch::channel(session.position);
        // ends with this, also when this is dropped
        let mut folder = JoinSet::new();
        folder.spawn(Folder::new(self, session, known).run(ahead));
        while let Some(page) = pages.recv().await {
            let Some(Page { changes, to, events }) = page? else { return Ok(Ended::BeforePage) };
            if !session.take(connection, changes, to).await? {
                return Ok(Ended::BeforePage);
            }
            written.send_replace(to);
            self.report(session, connection, events).await?;
        }
        // one that panicked has not come to the log's end
        let panicked = folder.join_next().await.is_some_and(|folded| folded.is_err());
        Ok(if panicked { Ended::BeforePage } else { Ended::WithLog })
    }

    async fn report(&self, session: &Session, connection: &mut PgConnection, events: usize) -> Result<(), Fault> {
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

/// A page, folded.
struct Page {
    /// None: there was nothing in it that the projection wants.
    changes: Option<Box<dyn Changes>>,
    to: Position,
    events: usize,
}

/// Reads ahead and folds, with a writer of its own.
struct Folder {
    store: EventStore,
    pool: PgPool,
    projection: &'static dyn Projection,
    writer: Box<dyn Writer>,
    after: Position,
    /// How far the pages that were folded are written.
    written: watch::Receiver<Position>,
    parked: HashSet<StreamId>,
    skips: HashSet<Position>,
}

impl Folder {
    fn new(fill: &Fill, session: &Session, written: watch::Receiver<Position>) -> Self {
        Self {
            store: fill.store.clone(),
            pool: fill.pool.clone(),
            projection: session.projection,
            writer: session.projection.writer(session.generation),
            after: session.position,
            written,
            parked: session.parked.keys().copied().collect(),
            skips: session.skips.clone(),
        }
    }

    /// Sends one page after the other, to the log's end; nothing in the place of one that it can't fold.
    async fn run(mut self, pages: mpsc::Sender<Result<Option<Page>, Fault>>) {
        loop {
            let page = self.next().await;
            let goes_on = matches!(&page, Ok(Some(Some(page))) if page.events == usize::from(PAGE));
            let Some(page) = page.transpose() else { return };
            if pages.send(page).await.is_err() || !goes_on {
                return;
            }
        }
    }

    /// The next page; the outer `None`: there is none, the inner one: it can't be folded.
    async fn next(&mut self) -> Result<Option<Option<Page>>, Fault> {
        let page = read(&self.store, self.projection, self.after, PAGE).await?;
        let (events, Some(to)) = (page.len(), page.last().map(|event| event.position)) else { return Ok(None) };
        let Some(facts) = self.facts(page) else { return Ok(Some(None)) };
        if facts.is_empty() {
            self.after = to;
            return Ok(Some(Some(Page { changes: None, to, events })));
        }
        if !self.writer.knows(&facts) {
            // it is in the tables once all is written that was folded; who writes may be gone
            let after = self.after;
            if self.written.wait_for(|written| *written >= after).await.is_err() {
                return Ok(None);
            }
            let mut connection = self.pool.acquire().await?;
            if self.writer.load(&mut connection, &facts).await.is_err() {
                return Ok(Some(None));
            }
        }
        self.after = to;
        Ok(Some(self.writer.fold(&facts).ok().map(|changes| Page { changes: Some(changes), to, events })))
    }

    /// What is to be applied of a page; `None` where something is to be parked or passed over.
    fn facts(&self, page: Vec<Incoming>) -> Option<Vec<Fact>> {
        let mut facts = Vec::with_capacity(page.len());
        for event in page {
            if self.parked.contains(&event.stream) || self.skips.contains(&event.position) {
                return None;
            }
            match event.content {
                Content::Fact(fact) => facts.push(*fact),
                Content::Unwanted => {}
                Content::Unreadable(_) => return None,
            }
        }
        Some(facts)
    }
}

async fn read(
    store: &EventStore,
    projection: &dyn Projection,
    after: Position,
    count: u16,
) -> Result<Vec<Incoming>, Fault> {
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
        let wanted = u16::try_from(position.0 - session.position.0).unwrap_or(PAGE).min(PAGE);
        let page = read(store, session.projection, session.position, wanted).await?;
        if page.is_empty() {
            return Err(Halt::Fault(Fault::Corrupt(format!("the log ends before position {position}"))));
        }
        session.apply(connection, &page).await?;
    }
    Ok(())
}
