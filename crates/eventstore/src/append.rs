//! The group commit: one flusher sends what has queued up as one statement (docs/adr/0002).

mod batch;
mod flusher;
mod heads;
mod json_text;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::{Mutex, Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub(crate) use self::heads::Heads;
use crate::follow::{CHANNEL, PACE};
use crate::metrics::METRICS;
use crate::{AppendError, Options, Position, Receipt, StreamId, Unit, Version};

/// What became of a unit that was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log.
    Appended(Appended),
    /// Its receipt was there already, and nothing was appended. Whether it is a receipt for the
    /// same request the caller sees by its fingerprint.
    Replayed(Receipt),
}

/// Where a unit stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The position of its first event; `None` where it had none.
    pub first: Option<Position>,
    /// The position of its last event; `None` where it had none.
    pub last: Option<Position>,
    /// Each of its streams, in the unit's order, with its version after the append.
    pub versions: Vec<(StreamId, Version)>,
    /// When the log took it.
    pub recorded_at: DateTime<Utc>,
}

type Answer = Result<Outcome, AppendError>;

#[derive(Debug)]
struct Job {
    unit: Unit,
    /// The JSON text of the unit's metadata.
    metadata: String,
    answer: oneshot::Sender<Answer>,
}

#[derive(Debug)]
enum Message {
    Append(Box<Job>),
    Close,
}

/// Whether no appends are taken just now: a batch has been under way for too long (the table is locked, the server is
/// gone), and nobody is made to wait behind it.
#[derive(Debug, Default)]
struct Gate(AtomicBool);

impl Gate {
    fn is_closed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn close(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn open(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// The handle: a bounded queue to the flusher.
#[derive(Debug)]
pub(crate) struct Appender {
    queue: mpsc::Sender<Message>,
    gate: Arc<Gate>,
    flusher: Mutex<Option<JoinHandle<()>>>,
    options: Options,
    appended: Arc<Notify>,
}

impl Appender {
    pub(crate) fn start(pool: &PgPool, options: Options) -> Self {
        METRICS.queue.add(0, &[]);
        let (queue, messages) = mpsc::channel(options.queue);
        let (appended, reached) = (Arc::new(Notify::new()), watch::Sender::new(Position(0)));
        tokio::spawn(wake_others(pool.clone(), reached.subscribe()));
        let news = flusher::News { here: appended.clone(), elsewhere: reached };
        let gate = Arc::new(Gate::default());
        let flusher = flusher::Flusher::new(pool.connect_options(), options.clone(), gate.clone(), news);
        let flusher = tokio::spawn(flusher.run(messages));
        Self { queue, gate, flusher: Mutex::new(Some(flusher)), options, appended }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Returns when something has been appended by this process since the last call.
    pub(crate) async fn appended(&self) {
        self.appended.notified().await;
    }

    pub(crate) async fn append(&self, unit: Unit) -> Answer {
        let metadata = unit.check()?;
        if self.gate.is_closed() {
            METRICS.overloads.add(1, &[]);
            return Err(AppendError::Overloaded);
        }
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Message::Append(Box::new(Job { unit, metadata, answer }))).map_err(
            |error| match error {
                mpsc::error::TrySendError::Full(_) => {
                    METRICS.overloads.add(1, &[]);
                    AppendError::Overloaded
                }
                mpsc::error::TrySendError::Closed(_) => AppendError::Closed,
            },
        )?;
        METRICS.queue.add(1, &[]);
        // the flusher answers every unit that it has taken; if it didn't, it is gone, and nobody knows
        let gone = |_| AppendError::OutcomeUnknown(Arc::new(sqlx::Error::WorkerCrashed));
        answered.await.map_err(gone)?
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Refuses new appends, and returns when the queued ones are answered.
    pub(crate) async fn close(&self) {
        // a queue that is already closed is what is wanted
        self.queue.send(Message::Close).await.ok();
        if let Some(flusher) = self.flusher.lock().await.take()
            && let Err(error) = flusher.await
        {
            tracing::error!(%error, "the appender did not end well");
        }
    }
}

/// Wakes the tailers of other processes, outside of the appending transactions (within, it would make commits
/// wait for each other) and coalesced: while one notification is under way, and a moment after, any number of batches are
/// one.
/// A notification that gets lost costs latency, never an event.
async fn wake_others(pool: PgPool, mut reached: watch::Receiver<Position>) {
    while reached.changed().await.is_ok() {
        let position = reached.borrow_and_update().to_string();
        let sent = sqlx::query("select pg_notify($1, $2)").bind(CHANNEL).bind(position).execute(&pool).await;
        if let Err(error) = sent {
            tracing::debug!(%error, "other processes were not woken");
        }
        tokio::time::sleep(PACE).await;
    }
}
