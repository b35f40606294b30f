//! How far the read models have come, for those who wait for it. A projector in this process tells it at once;
//! where another process leads, one poller looks for all who wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eventstore::{Position, StoreError};
use sqlx::{PgPool, Row};
use tokio::sync::watch;
use tokio::time::Instant;

/// How often the poller looks while somebody waits.
const POLL: Duration = Duration::from_millis(15);
/// How long a waiter goes on without making sure that there is a poller.
const RECHECK: Duration = Duration::from_millis(250);

/// How far each projection has come. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Reached(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: PgPool,
    marks: HashMap<&'static str, Mark>,
    polling: AtomicBool,
}

#[derive(Debug)]
struct Mark {
    position: watch::Sender<Position>,
    /// Whether this process's projector tells it.
    told: AtomicBool,
}

impl Reached {
    pub(crate) fn new(pool: PgPool, names: impl IntoIterator<Item = &'static str>) -> Self {
        let mark = || Mark { position: watch::Sender::new(Position(0)), told: AtomicBool::new(false) };
        let marks = names.into_iter().map(|name| (name, mark())).collect();
        Self(Arc::new(Inner { pool, marks, polling: AtomicBool::new(false) }))
    }

    /// A projection of this process has come so far.
    pub(crate) fn tell(&self, name: &str, position: Position) {
        if let Some(mark) = self.0.marks.get(name) {
            mark.told.store(true, Ordering::Relaxed);
            mark.raise(position);
        }
    }

    /// This process's projector does not lead any more.
    pub(crate) fn tells_no_more(&self, name: &str) {
        if let Some(mark) = self.0.marks.get(name) {
            mark.told.store(false, Ordering::Relaxed);
        }
    }

    /// Waits until a projection has come so far; `false` where it had not in time.
    pub(crate) async fn wait(&self, name: &str, position: Position, deadline: Instant) -> bool {
        let Some(mark) = self.0.marks.get(name) else { return false };
        let mut reached = mark.position.subscribe();
        loop {
            if *reached.borrow_and_update() >= position {
                return true;
            }
            let now = Instant::now();
            if now >= deadline {
                return false;
            }
            if !mark.told.load(Ordering::Relaxed) {
                self.poll();
            }
            // an end of the wait is seen above
            tokio::time::timeout_at(deadline.min(now + RECHECK), reached.wait_for(|r| *r >= position)).await.ok();
        }
    }

    /// Looks for all who wait, as long as somebody does.
    fn poll(&self) {
        if self.0.polling.swap(true, Ordering::AcqRel) {
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            while this.0.marks.values().any(|mark| mark.position.receiver_count() > 0) {
                if let Err(error) = this.look().await {
                    tracing::debug!(%error, "the projections' positions can't be read");
                }
                tokio::time::sleep(POLL).await;
            }
            // who came in between makes sure of a new one
            this.0.polling.store(false, Ordering::Release);
        });
    }

    async fn look(&self) -> Result<(), StoreError> {
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
            let further = position > *known;
            *known = position.max(*known);
            further
        });
    }
}
