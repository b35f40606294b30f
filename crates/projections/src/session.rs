//! A generation that is being written: the handler of a read model's subscription.

use eventsourcing::subscription::{self, Content, Handler, LogEvent};
use eventstore::{Lead, Position, RecordedEvent, StreamId};
use futures_util::FutureExt;
use sqlx::PgConnection;

use crate::context::Context;
use crate::generation::Generation;
use crate::generations::GenerationState;
use crate::metrics::METRICS;
use crate::progress::Progress;
use crate::read_model::{ApplyError, Changes, DecodedEvent, ReadModel, Writer};

/// Writes one generation, batch by batch.
pub(crate) type Session = subscription::Session<GenerationHandler>;
/// Why a session ended.
pub(crate) type SessionError = subscription::SessionError<GenerationError>;

/// Why a generation can't be written although no event is to blame.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GenerationError {
    /// The generation has another state by now.
    #[error("the generation was replaced")]
    Replaced,
    /// Only a rebuild mends it.
    #[error("a stored row can't be read: {0}")]
    UnreadableRow(String),
}

impl From<GenerationError> for SessionError {
    fn from(error: GenerationError) -> Self {
        Self::Handler(error)
    }
}

/// A generation, and the state that its writer caches.
pub(crate) struct GenerationHandler {
    pub(crate) model: &'static dyn ReadModel,
    pub(crate) generation: Generation,
    state: GenerationState,
    writer: Box<dyn Writer>,
    progress: Progress,
}

/// Goes on at the generation's checkpoint.
pub(crate) async fn open(
    context: &Context,
    lead: Lead,
    generation: Generation,
    state: GenerationState,
) -> Result<Session, SessionError> {
    let (model, progress) = (context.model, context.progress.clone());
    let handler = GenerationHandler { model, generation, state, writer: model.writer(generation), progress };
    Ok(Session::open(&context.store, lead, &generation.checkpoint(model.name()), handler).await?)
}

/// Commits what another writer has folded of the next events, none of which is to be parked or passed over. `false`: the
/// database refused the data, and nothing was written.
pub(crate) async fn write_folded(
    session: &mut Session,
    changes: Option<Box<dyn Changes>>,
    through: Position,
) -> Result<bool, SessionError> {
    session.commit_prepared(move |connection| write(changes, connection).boxed(), through).await
}

async fn write(
    changes: Option<Box<dyn Changes>>,
    connection: &mut PgConnection,
) -> Result<(), subscription::ApplyError<GenerationError>> {
    match changes {
        Some(changes) => Ok(changes.write(connection).await?),
        None => Ok(()),
    }
}

impl Handler for GenerationHandler {
    type Event = DecodedEvent;
    type Error = GenerationError;

    fn name(&self) -> &str {
        self.model.name()
    }

    fn decode(&self, event: &RecordedEvent) -> Content<DecodedEvent> {
        DecodedEvent::decode(self.model, event)
    }

    /// Makes sure, until the end of the transaction, that the generation is still to be written.
    async fn claim(&self, connection: &mut PgConnection) -> Result<(), SessionError> {
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
        Ok(there.map(drop).ok_or(GenerationError::Replaced)?)
    }

    async fn apply(
        &mut self,
        connection: &mut PgConnection,
        events: &[DecodedEvent],
    ) -> Result<(), subscription::ApplyError<GenerationError>> {
        Ok(self.writer.apply(connection, events).await?)
    }

    fn rolled_back(&mut self) {
        self.writer.invalidate();
    }

    fn handled(&mut self, through: Position, events: usize) {
        if self.state == GenerationState::Live {
            METRICS.applied(self.model.name(), events);
            self.progress.report(self.model.name(), through);
        }
    }
}

impl LogEvent for DecodedEvent {
    fn stream(&self) -> StreamId {
        self.stream
    }

    fn position(&self) -> Position {
        self.position
    }
}

impl From<ApplyError> for subscription::ApplyError<GenerationError> {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::NotApplicable { position, reason } => Self::NotApplicable { position, reason },
            ApplyError::UnreadableRow(reason) => Self::Handler(GenerationError::UnreadableRow(reason)),
            ApplyError::Database(error) => Self::Database(error),
        }
    }
}
