//! The group commit: one flusher for each process sends what has queued up as one statement.

mod batch;
mod columns;
mod flusher;
mod head_cache;
mod json_text;
mod queue;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::{Mutex, Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::metrics::METRICS;
use crate::notify;
use crate::{AppendError, Options, Position, Receipt, StreamId, Unit, Version};

/// The result of a unit that was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log.
    Appended(Appended),
    /// Its receipt exists already; nothing was appended. The fingerprint tells the caller whether the receipt
    /// is for the same request.
    Replayed(Receipt),
}

/// The place of a unit in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The position of its first event; `None` for a unit without events.
    pub first: Option<Position>,
    /// The position of its last event; `None` for a unit without events.
    pub last: Option<Position>,
    /// The streams of its appends, in the unit's order, each with its version after the append.
    pub versions: Vec<(StreamId, Version)>,
    /// When the log recorded it.
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

/// Refuses appends while a batch has been under way for too long (the table is locked, the server is gone), so that no
/// caller waits behind it.
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

/// The handle of the flusher: a bounded queue.
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
        tokio::spawn(notify::notify(pool.clone(), reached.subscribe()));
        let notifier = flusher::AppendNotifier { local: appended.clone(), remote: reached };
        let gate = Arc::new(Gate::default());
        let flusher = flusher::Flusher::new(pool.connect_options(), options.clone(), gate.clone(), notifier);
        let flusher = tokio::spawn(flusher.run(messages));
        Self { queue, gate, flusher: Mutex::new(Some(flusher)), options, appended }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// Returns when this process has appended something since the last call.
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
        // the flusher answers every unit that it takes; without an answer it is gone, and the outcome is unknown
        let gone = |_| AppendError::OutcomeUnknown(Arc::new(sqlx::Error::WorkerCrashed));
        answered.await.map_err(gone)?
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Refuses new appends, and returns when the queued ones are answered.
    pub(crate) async fn close(&self) {
        // an error means that the queue is closed already
        self.queue.send(Message::Close).await.ok();
        if let Some(flusher) = self.flusher.lock().await.take()
            && let Err(error) = flusher.await
        {
            tracing::error!(%error, "the appender panicked or was cancelled");
        }
    }
}
