//! The filling of a generation: large pages straight from the log, read and decoded while the ones before are applied.

use std::time::Instant;

use eventstore::{EventStore, Fault, Position};
use sqlx::PgConnection;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::generations;
use crate::metrics::METRICS;
use crate::projection::{Incoming, Projection};
use crate::session::{Halt, Session};

/// How many events are read at once, and applied at once.
const PAGE: u16 = 8_000;
/// How many pages wait to be applied.
const AHEAD: usize = 2;

/// How fast a filling is.
pub(crate) struct Fill {
    store: EventStore,
    began: Instant,
    from: Position,
}

impl Fill {
    pub(crate) fn new(store: &EventStore, from: Position) -> Self {
        Self { store: store.clone(), began: Instant::now(), from }
    }

    /// Applies all that there is, up to the log's end.
    pub(crate) async fn drain(&self, session: &mut Session, connection: &mut PgConnection) -> Result<(), Halt> {
        let (pages, mut read) = mpsc::channel(AHEAD);
        // ends with this, also when this is dropped
        let mut reader = JoinSet::new();
        reader.spawn(read_pages(self.store.clone(), session.projection, session.position, pages));
        while let Some(page) = read.recv().await {
            let page: Vec<Incoming> = page?;
            session.apply(connection, &page).await?;
            METRICS.applied(session.projection.name(), page.len());
            self.report(session, connection).await?;
        }
        Ok(())
    }

    async fn report(&self, session: &Session, connection: &mut PgConnection) -> Result<(), Fault> {
        let seconds = self.began.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rate = (session.position.0 - self.from.0) as f64 / seconds.max(0.001);
        generations::report_rate(connection, session.projection.name(), session.generation, rate).await
    }
}

async fn read_pages(
    store: EventStore,
    projection: &'static dyn Projection,
    mut after: Position,
    pages: mpsc::Sender<Result<Vec<Incoming>, Fault>>,
) {
    loop {
        let page = store.read_page(after, PAGE).await;
        let page = page.map(|page| page.iter().map(|event| Incoming::read(projection, event)).collect::<Vec<_>>());
        let full = page.as_ref().is_ok_and(|page| page.len() == usize::from(PAGE));
        if let Some(last) = page.as_ref().ok().and_then(|page| page.last()) {
            after = last.position;
        }
        let nothing = page.as_ref().is_ok_and(Vec::is_empty);
        if nothing || pages.send(page).await.is_err() || !full {
            return;
        }
    }
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
        let page = store.read_page(session.position, wanted).await?;
        if page.is_empty() {
            return Err(Halt::Fault(Fault::Corrupt(format!("the log ends before position {position}"))));
        }
        let page: Vec<_> = page.iter().map(|event| Incoming::read(session.projection, event)).collect();
        session.apply(connection, &page).await?;
    }
    Ok(())
}
