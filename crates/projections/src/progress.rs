//! How far each read model has read the log, for readers that wait for a position. A projector in this process reports
//! it at once; where another process leads, one poller asks the database on behalf of all waiting readers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eventstore::{Position, StoreError};
use sqlx::{PgPool, Row};
use tokio::sync::watch;
use tokio::time::Instant;

/// How often the poller asks while a reader waits.
const POLL: Duration = Duration::from_millis(15);
/// How often a waiting reader makes sure that the poller runs.
const RECHECK: Duration = Duration::from_millis(250);

/// The position of each read model. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: PgPool,
    marks: HashMap<&'static str, Mark>,
    polling: AtomicBool,
}

#[derive(Debug)]
struct Mark {
    position: watch::Sender<Position>,
    /// Whether the projector of this process reports it.
    reported: AtomicBool,
}

impl Progress {
    pub(crate) fn new(pool: PgPool, names: impl IntoIterator<Item = &'static str>) -> Self {
        let mark = || Mark { position: watch::Sender::new(Position(0)), reported: AtomicBool::new(false) };
        let marks = names.into_iter().map(|name| (name, mark())).collect();
        Self(Arc::new(Inner { pool, marks, polling: AtomicBool::new(false) }))
    }

    /// The projector of this process has read up to a position.
    pub(crate) fn report(&self, name: &str, position: Position) {
        if let Some(mark) = self.0.marks.get(name) {
            mark.reported.store(true, Ordering::Relaxed);
            mark.raise(position);
        }
    }

    /// The projector of this process no longer leads.
    pub(crate) fn stop_reporting(&self, name: &str) {
        if let Some(mark) = self.0.marks.get(name) {
            mark.reported.store(false, Ordering::Relaxed);
        }
    }

    /// Waits until a model has read up to a position; `false` if it has not by the deadline.
    pub(crate) async fn wait_for(&self, name: &str, position: Position, deadline: Instant) -> bool {
        let Some(mark) = self.0.marks.get(name) else { return false };
        let mut current = mark.position.subscribe();
        loop {
            if *current.borrow_and_update() >= position {
                return true;
            }
            let now = Instant::now();
            if now >= deadline {
                return false;
            }
            if !mark.reported.load(Ordering::Relaxed) {
                self.start_poller();
            }
            // the loop judges the outcome
            tokio::time::timeout_at(deadline.min(now + RECHECK), current.wait_for(|current| *current >= position))
                .await
                .ok();
        }
    }

    /// Runs the poller as long as somebody waits.
    fn start_poller(&self) {
        if self.0.polling.swap(true, Ordering::AcqRel) {
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            while this.0.marks.values().any(|mark| mark.position.receiver_count() > 0) {
                if let Err(error) = this.refresh().await {
                    tracing::debug!(%error, "the positions of the read models can't be read");
                }
                tokio::time::sleep(POLL).await;
            }
            // a reader that began to wait in between starts a new one
            this.0.polling.store(false, Ordering::Release);
        });
    }

    async fn refresh(&self) -> Result<(), StoreError> {
        let rows = sqlx::query(
            "select g.name, c.position from read_models.generations g
               join checkpoints c on c.name = g.name || '@' || g.generation where g.state = 'live'",
        )
        .fetch_all(&self.0.pool)
        .await?;
        for row in rows {
            if let Some(mark) = self.0.marks.get(row.try_get::<&str, _>(0)?) {
                mark.raise(Position(row.try_get(1)?));
            }
        }
        Ok(())
    }
}

impl Mark {
    fn raise(&self, position: Position) {
        self.position.send_if_modified(|known| {
            let advanced = position > *known;
            *known = position.max(*known);
            advanced
        });
    }
}
