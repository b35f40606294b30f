//! The task that owns the appender's connection: it sends batches, answers, and resolves unknown outcomes after a lost
//! connection.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::head_cache::HeadCache;
use super::queue::Queue;
use super::{Appended, Gate, Job, Message, Outcome, batch};
use crate::error::is_lost;
use crate::metrics::METRICS;
use crate::session::{Backend, Session};
use crate::{AppendError, Expected, Options, Position, StoreError, Unit, Version, failpoints, read, receipts};

/// The pause between two attempts while nothing gets through.
const PROBE_EVERY: Duration = Duration::from_millis(100);

pub(super) struct Flusher {
    to: Arc<PgConnectOptions>,
    options: Options,
    gate: Arc<Gate>,
    notifier: AppendNotifier,
    session: Option<Session>,
    /// What was appended over the session.
    heads: HeadCache,
    /// The server process of a lost connection, until it is known to be gone.
    lost: Option<Backend>,
    /// A position that the log had reached before anything now under way was sent.
    known: Position,
}

/// Tells followers that something was appended.
pub(super) struct AppendNotifier {
    /// Those of this process.
    pub(super) local: Arc<Notify>,
    /// Those of other processes.
    pub(super) remote: watch::Sender<Position>,
}

/// Why the database did not answer a batch.
enum Failure {
    /// Nothing was appended.
    Refused(Arc<sqlx::Error>),
    /// The connection was lost: the batch may or may not have been appended.
    Lost(Arc<sqlx::Error>),
}

impl Flusher {
    pub(super) fn new(to: Arc<PgConnectOptions>, options: Options, gate: Arc<Gate>, notifier: AppendNotifier) -> Self {
        let (session, heads) = (None, HeadCache::default());
        Self { to, options, gate, notifier, session, heads, lost: None, known: Position(0) }
    }

    pub(super) async fn run(mut self, messages: mpsc::Receiver<Message>) {
        let mut queue = Queue { messages, waiting: VecDeque::new() };
        loop {
            if self.gate.is_closed() {
                self.probe(&mut queue).await;
            }
            if queue.waiting.is_empty() {
                match queue.messages.recv().await {
                    Some(message) => queue.accept(message),
                    None => return,
                }
            }
            queue.receive(self.options.batch);
            let batch = batch::take(&mut queue.waiting, self.options.batch);
            if !batch.is_empty() {
                let sent = batch.len();
                let again = self.flush_or_shed(batch, &mut queue).await;
                queue.coalesce(sent - again.len(), self.options.batch).await;
                again.into_iter().rev().for_each(|job| queue.waiting.push_front(job));
            }
        }
    }

    /// Sends a batch. If that takes too long, the appends behind it are refused, and the gate stays closed until the database
    /// answers again.
    async fn flush_or_shed(&mut self, batch: Vec<Job>, queue: &mut Queue) -> Vec<Job> {
        let (gate, patience) = (self.gate.clone(), self.options.patience);
        let mut flush = std::pin::pin!(self.flush(batch));
        tokio::select! {
            biased;
            again = &mut flush => return again,
            () = tokio::time::sleep(patience) => {}
        }
        tracing::warn!("an append takes longer than {patience:?}: others are refused until it has ended");
        gate.close();
        queue.shed();
        let again = flush.await;
        // appends that passed the gate before it was closed
        queue.shed();
        again
    }

    /// Tries whether an append would get through, until it does, so that no caller's append has to wait for that.
    async fn probe(&mut self, queue: &mut Queue) {
        let limit = self.options.statement_timeout + Duration::from_secs(2);
        while !queue.messages.is_closed() {
            let tried = async { batch::probe(&mut self.connected().await?.connection).await };
            match tokio::time::timeout(limit, tried).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
                Ok(()) => break,
                Err(error) => {
                    tracing::warn!(%error, "no append gets through yet");
                    if is_lost(&error) {
                        self.lose_session();
                    }
                }
            }
            queue.shed();
            tokio::time::sleep(PROBE_EVERY).await;
        }
        self.gate.open();
    }

    /// Sends a batch and answers its jobs; returns those that have to be sent again.
    async fn flush(&mut self, batch: Vec<Job>) -> Vec<Job> {
        let started = Instant::now();
        match self.send(&batch).await {
            Ok(answers) => {
                self.gate.open();
                METRICS.batches.add(1, &[]);
                METRICS.batch_units.record(batch.len() as u64, &[]);
                METRICS.batch_seconds.record(started.elapsed().as_secs_f64(), &[]);
                for (job, answer) in batch.into_iter().zip(answers) {
                    reply(job, answer);
                }
                #[cfg(feature = "planted-bugs")]
                if let Some(session) = &mut self.session {
                    crate::planted::commit(&mut session.connection).await;
                }
                Vec::new()
            }
            Err(Failure::Refused(error)) => self.retry_individually(batch, error).await,
            Err(Failure::Lost(error)) => {
                METRICS.reconnects.add(1, &[]);
                tracing::warn!(%error, units = batch.len(), "connection lost during an append: looking for its outcome");
                self.resolve_unknown_outcomes(batch, error).await
            }
        }
    }

    async fn send(&mut self, batch: &[Job]) -> Result<Vec<super::Answer>, Failure> {
        // the server ends a statement in time by itself; this limit is for a server that is gone
        let limit = self.options.statement_timeout + Duration::from_secs(2);
        self.connected().await.map_err(|e| Failure::Refused(Arc::new(e)))?;
        let session = self.session.as_mut().expect("it was connected just now");
        let heads = &mut self.heads;
        failpoints::BEFORE_SEND.reached();
        let sent = failpoints::under_way(batch::send(&mut session.connection, heads, batch));
        let sent = tokio::time::timeout(limit, sent).await;
        match sent.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Ok(verdict) => {
                failpoints::COMMITTED.reached();
                let (answers, last) = verdict.answers(batch, heads);
                self.known = last;
                self.notifier.local.notify_one();
                self.notifier.remote.send_replace(last);
                Ok(answers)
            }
            Err(error) if is_lost(&error) => {
                self.lose_session();
                Err(Failure::Lost(Arc::new(error)))
            }
            Err(error) => {
                // in case the cache was the reason, the next try does without
                *heads = HeadCache::default();
                Err(Failure::Refused(Arc::new(error)))
            }
        }
    }

    /// The connection, made where there is none. A failure here means that nothing was sent.
    async fn connected(&mut self) -> Result<&mut Session, sqlx::Error> {
        let session = if let Some(session) = self.session.take() {
            session
        } else {
            let mut session = Session::connect(&self.to, &self.options, self.lost).await?;
            self.heads = HeadCache::default();
            // while an outcome is unknown, the position that was known before it was sent is what counts
            if self.lost.take().is_none() {
                self.known = read::head(&mut session.connection).await.map_err(into_sqlx)?;
            }
            session
        };
        Ok(self.session.insert(session))
    }

    fn lose_session(&mut self) {
        if let Some(session) = self.session.take() {
            self.lost = Some(session.backend);
        }
    }

    /// The database refused the whole statement. If one unit may be the reason, each is sent alone, so that it doesn't harm
    /// its neighbours.
    async fn retry_individually(&mut self, batch: Vec<Job>, error: Arc<sqlx::Error>) -> Vec<Job> {
        let fault = StoreError::shared(error);
        if batch.len() == 1 || matches!(fault, StoreError::Unavailable(_)) {
            tracing::error!(error = ?fault, units = batch.len(), "the database refused an append");
            for job in batch {
                reply(job, Err(AppendError::Store(fault.clone())));
            }
            return Vec::new();
        }
        let mut again = Vec::new();
        for job in batch {
            again.extend(Box::pin(self.flush(vec![job])).await);
        }
        again
    }

    /// After a lost connection: a unit that is found in the log was appended; the others are sent again.
    async fn resolve_unknown_outcomes(&mut self, batch: Vec<Job>, error: Arc<sqlx::Error>) -> Vec<Job> {
        let deadline = Instant::now() + self.options.settle_timeout;
        let known = self.known;
        let found = loop {
            match tokio::time::timeout_at(deadline, self.find(&batch, known)).await {
                Ok(Ok(found)) => break found,
                Ok(Err(error)) => {
                    tracing::debug!(%error, "the outcome can't be resolved yet");
                    self.lose_session();
                    tokio::time::sleep_until((Instant::now() + Duration::from_millis(200)).min(deadline)).await;
                }
                Err(_) => {
                    self.lose_session();
                    for job in batch {
                        reply(job, Err(AppendError::OutcomeUnknown(error.clone())));
                    }
                    return Vec::new();
                }
            }
        };
        self.notifier.local.notify_one();
        let mut again = Vec::new();
        for (job, outcome) in batch.into_iter().zip(found) {
            match outcome {
                Some(outcome) => reply(job, Ok(outcome)),
                None => again.push(job),
            }
        }
        again
    }

    async fn find(&mut self, batch: &[Job], known: Position) -> Result<Vec<Option<Outcome>>, sqlx::Error> {
        let session = self.connected().await?;
        let ids = batch.iter().map(|job| job.unit.metadata.command_id.0).collect::<Vec<_>>();
        let streams = batch.iter().flat_map(|job| &job.unit.appends).map(|a| a.stream_id.0).collect::<Vec<_>>();
        let events = read::by_command(&mut session.connection, known, &streams, &ids).await.map_err(into_sqlx)?;
        let mut by_command: HashMap<Uuid, Vec<_>> = HashMap::new();
        for event in events {
            by_command.entry(event.command_id).or_default().push(event);
        }
        let mut found = Vec::with_capacity(batch.len());
        for job in batch {
            let events = by_command.remove(&job.unit.metadata.command_id.0).unwrap_or_default();
            found.push(match (&job.unit.receipt, events.as_slice()) {
                (_, [_, ..]) => Some(Outcome::Appended(located(&job.unit, &events))),
                // a unit without events left only its receipt
                (Some(receipt), []) => receipts::find(&mut session.connection, &receipt.caller, &receipt.key)
                    .await
                    .map_err(into_sqlx)?
                    .map(Outcome::Replayed),
                (None, []) => None,
            });
        }
        Ok(found)
    }
}

/// Rebuilds a unit's answer from its events in the log.
fn located(unit: &Unit, events: &[read::Located]) -> Appended {
    let versions = unit
        .appends
        .iter()
        .map(|append| {
            let last = events.iter().rfind(|e| e.stream_id == append.stream_id);
            let demanded = match append.expected {
                Expected::Exact(version) => version,
                Expected::Any => Version(0),
            };
            (append.stream_id, last.map_or(demanded, |e| e.version))
        })
        .collect();
    Appended {
        first: events.first().map(|e| e.position),
        last: events.last().map(|e| e.position),
        versions,
        recorded_at: events.last().map(|e| e.recorded_at).unwrap_or_default(),
    }
}

pub(super) fn reply(job: Job, answer: super::Answer) {
    METRICS.queue.add(-1, &[]);
    match &answer {
        Ok(Outcome::Appended(_)) => {
            let events = job.unit.appends.iter().map(|a| a.events.len() as u64).sum::<u64>();
            METRICS.events.add(events, &[]);
        }
        Ok(Outcome::Replayed(_)) => METRICS.replays.add(1, &[]),
        Err(AppendError::Conflict { .. }) => METRICS.conflicts.add(1, &[]),
        Err(_) => {}
    }
    // an error means that the caller has gone away
    job.answer.send(answer).ok();
}

fn into_sqlx(fault: StoreError) -> sqlx::Error {
    sqlx::Error::AnyDriverError(Box::new(fault))
}
