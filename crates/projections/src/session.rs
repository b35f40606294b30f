//! Writes one generation, batch by batch. Each batch is one transaction that also advances the checkpoint, so that each
//! event is applied exactly once, whatever crashes and when.

use std::collections::{HashMap, HashSet};

use eventstore::{Checkpoint, Position, StoreError, StreamId};
use sqlx::{Connection, PgConnection};

use crate::failpoints;
use crate::generation::Generation;
use crate::generations::GenerationState;
use crate::parked::{self, Parked};
use crate::read_model::{ApplyError, Changes, Content, DecodedEvent, EventEnvelope, ReadModel, Writer};

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// The generation has another state by now.
    #[error("the generation was replaced")]
    Replaced,
    /// Another process advanced the checkpoint; nothing of this batch is committed.
    #[error("leadership was lost: another process advanced the checkpoint")]
    LeadershipLost,
    /// Only a rebuild mends it.
    #[error("a stored row can't be read: {0}")]
    UnreadableRow(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for SessionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Why an attempt to apply some events failed.
enum Failure {
    /// This event can't be applied.
    NotApplicable { position: Position, reason: String },
    /// The database refused the data of an unknown one of them.
    Data(String),
    /// No event is to blame.
    Session(SessionError),
}

impl<E: Into<SessionError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Session(error.into())
    }
}

/// What a transaction writes.
enum Work<'a> {
    Events(&'a [DecodedEvent]),
    Folded(Option<Box<dyn Changes>>),
}

/// A generation that is being written, and the state that its writer caches.
pub(crate) struct Session {
    pub(crate) model: &'static dyn ReadModel,
    pub(crate) generation: Generation,
    pub(crate) position: Position,
    pub(crate) parked: HashMap<StreamId, Parked>,
    pub(crate) skips: HashSet<Position>,
    state: GenerationState,
    checkpoint: String,
    writer: Box<dyn Writer>,
}

impl Session {
    /// Continues from the checkpoint.
    pub(crate) async fn open(
        model: &'static dyn ReadModel,
        generation: Generation,
        state: GenerationState,
        connection: &mut PgConnection,
    ) -> Result<Self, StoreError> {
        let checkpoint = generation.checkpoint(model.name());
        Ok(Self {
            position: Checkpoint::position(&mut *connection, &checkpoint).await?,
            parked: parked::all(&mut *connection, model.name(), generation).await?,
            skips: parked::skips(&mut *connection, model.name()).await?,
            writer: model.writer(generation),
            model,
            generation,
            state,
            checkpoint,
        })
    }

    /// Applies the next events of the log. An event that can't be applied is found by halving the batch, and parks its
    /// stream; all others are applied.
    pub(crate) async fn apply(
        &mut self,
        connection: &mut PgConnection,
        events: &[EventEnvelope],
    ) -> Result<(), SessionError> {
        let mut todo = vec![events];
        while let Some(events) = todo.pop() {
            let (Some(first), Some(last)) = (events.first(), events.last()) else { continue };
            match self.advance(connection, events, None, last.position).await {
                Ok(()) => {}
                Err(Failure::Session(error)) => return Err(error),
                Err(Failure::Data(_)) if events.len() > 1 => {
                    let (before, after) = events.split_at(events.len() / 2);
                    todo.extend([after, before]);
                }
                Err(Failure::Data(reason) | Failure::NotApplicable { reason, .. }) => {
                    let culprit = first.parked(reason);
                    let parked = self.advance(connection, &[], Some(culprit), last.position).await;
                    if let Err(Failure::Session(error)) = parked {
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes what another writer has folded of the next events, none of which is to be parked or passed over. `false`:
    /// the database refused the data, and nothing was written.
    pub(crate) async fn write_folded(
        &mut self,
        connection: &mut PgConnection,
        changes: Option<Box<dyn Changes>>,
        to: Position,
    ) -> Result<bool, SessionError> {
        self.writer.invalidate();
        match self.transact(connection, Work::Folded(changes), &HashMap::new(), to).await {
            Ok(()) => self.position = to,
            Err(Failure::Session(error)) => return Err(error),
            Err(_) => return Ok(false),
        }
        Ok(true)
    }

    /// One transaction: the events' changes, newly parked streams, and the checkpoint's move.
    async fn advance(
        &mut self,
        connection: &mut PgConnection,
        events: &[EventEnvelope],
        culprit: Option<Parked>,
        to: Position,
    ) -> Result<(), Failure> {
        let mut stopped: HashMap<StreamId, Parked> = culprit.map(|c| (c.stream, c)).into_iter().collect();
        let mut decoded = self.applicable(events, &mut stopped);
        loop {
            match self.transact(connection, Work::Events(&decoded), &stopped, to).await {
                Ok(()) => break,
                Err(Failure::NotApplicable { position, reason }) => {
                    // all later events of its stream are passed over from here on
                    let Some(found) = events.iter().find(|event| event.position == position) else {
                        return Err(Failure::Data(reason));
                    };
                    decoded.retain(|event| event.stream != found.stream || event.position < position);
                    stopped.insert(found.stream, found.parked(reason));
                }
                Err(failure) => return Err(failure),
            }
        }
        for parked in stopped.into_values() {
            tracing::error!(
                projection = self.model.name(),
                stream = %parked.stream,
                position = %parked.position,
                error = parked.error,
                "an event can't be applied; its stream is parked"
            );
            self.parked.insert(parked.stream, parked);
        }
        self.position = to;
        Ok(())
    }

    async fn transact(
        &mut self,
        connection: &mut PgConnection,
        work: Work<'_>,
        stopped: &HashMap<StreamId, Parked>,
        to: Position,
    ) -> Result<(), Failure> {
        let mut tx = connection.begin().await?;
        self.claim(&mut tx).await?;
        let done = match work {
            Work::Events([]) | Work::Folded(None) => Ok(()),
            Work::Events(events) => self.writer.apply(&mut tx, events).await,
            Work::Folded(Some(changes)) => changes.write(&mut tx).await,
        };
        if let Err(error) = done {
            self.writer.invalidate();
            tx.rollback().await?;
            return Err(classify(error));
        }
        for parked in stopped.values() {
            parked::park(&mut *tx, self.model.name(), self.generation, parked).await?;
        }
        if !Checkpoint::advance(&mut *tx, &self.checkpoint, self.position, to).await? {
            return Err(Failure::Session(SessionError::LeadershipLost));
        }
        failpoints::BEFORE_COMMIT.reached();
        tx.commit().await?;
        failpoints::COMMITTED.reached();
        Ok(())
    }

    /// Makes sure, until the end of the transaction, that the generation is still to be written.
    pub(crate) async fn claim(&self, connection: &mut PgConnection) -> Result<(), SessionError> {
        let name = self.model.name();
        if self.state == GenerationState::Live {
            // a swap holds the exclusive lock
            sqlx::query("select pg_advisory_xact_lock_shared(hashtextextended('hold ' || $1, 0))")
                .bind(name)
                .execute(&mut *connection)
                .await?;
        }
        let there: Option<i32> = sqlx::query_scalar(
            "select 1 from read_models.generations where name = $1 and generation = $2 and state = $3",
        )
        .bind(name)
        .bind(self.generation.0)
        .bind(self.state.as_str())
        .fetch_optional(connection)
        .await?;
        there.map(drop).ok_or(SessionError::Replaced)
    }

    /// The events to apply. Streams with an undecodable event are added to `stopped`; parked streams and skipped events
    /// are passed over.
    fn applicable(&self, events: &[EventEnvelope], stopped: &mut HashMap<StreamId, Parked>) -> Vec<DecodedEvent> {
        let mut decoded = Vec::with_capacity(events.len());
        for event in events {
            let passed_over = self.parked.contains_key(&event.stream)
                || stopped.contains_key(&event.stream)
                || self.skips.contains(&event.position);
            match &event.content {
                Content::Decoded(event) if !passed_over => decoded.push(event.clone()),
                Content::Undecodable(error) if !passed_over => {
                    stopped.insert(event.stream, event.parked(error.clone()));
                }
                _ => {}
            }
        }
        decoded
    }

    /// The writer, to repair one stream out of order (`projector/repair.rs`).
    pub(crate) fn writer(&mut self) -> &mut dyn Writer {
        &mut *self.writer
    }
}

fn classify(error: ApplyError) -> Failure {
    match error {
        ApplyError::NotApplicable { position, reason } => Failure::NotApplicable { position, reason },
        ApplyError::UnreadableRow(reason) => Failure::Session(SessionError::UnreadableRow(reason)),
        ApplyError::Database(error) if is_data_error(&error) => Failure::Data(error.to_string()),
        ApplyError::Database(error) => error.into(),
    }
}

/// Whether the database refused the data, rather than the statement or the moment. Only then an event is to blame;
/// anything else would park one stream after another for a fault of the program or the server.
pub(crate) fn is_data_error(error: &sqlx::Error) -> bool {
    // 21 cardinality, 22 data exception, 23 integrity, 54 program limit exceeded
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["21", "22", "23", "54"].iter().any(|class| code.starts_with(class)))
}
