//! The group commit: one flusher sends what has queued up as one statement (docs/adr/0002).

mod batch;
mod flusher;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

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
    answer: oneshot::Sender<Answer>,
}

#[derive(Debug)]
enum Message {
    Append(Box<Job>),
    Close,
}

/// The handle: a bounded queue to the flusher.
#[derive(Debug)]
pub(crate) struct Appender {
    queue: mpsc::Sender<Message>,
    flusher: Mutex<Option<JoinHandle<()>>>,
}

impl Appender {
    pub(crate) fn start(to: Arc<PgConnectOptions>, options: Options) -> Self {
        METRICS.queue.add(0, &[]);
        let (queue, messages) = mpsc::channel(options.queue);
        let flusher = flusher::Flusher::new(to, options, messages);
        Self { queue, flusher: Mutex::new(Some(tokio::spawn(flusher.run()))) }
    }

    pub(crate) async fn append(&self, unit: Unit) -> Answer {
        unit.check()?;
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Message::Append(Box::new(Job { unit, answer }))).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                METRICS.overloads.add(1, &[]);
                AppendError::Overloaded
            }
            mpsc::error::TrySendError::Closed(_) => AppendError::Closed,
        })?;
        METRICS.queue.add(1, &[]);
        // the flusher answers every unit that it has taken; if it didn't, it is gone, and nobody knows
        let gone = |_| AppendError::OutcomeUnknown(Arc::new(sqlx::Error::WorkerCrashed));
        answered.await.map_err(gone)?
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.queue.is_closed()
    }

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
