//! What a read model is: the trait that each one implements, and the events that it is handed.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use eventsourcing::subscription::Content;
use eventstore::{Position, RecordedEvent, StoreError, StreamId, Version};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;

use crate::generation::Generation;
use crate::verification::{Difference, Verification};

/// A read model. Everything that the projector, a rebuild, the audit, the CLI and the API need to know about it is
/// here; they reach it through the [registry](crate::registry).
pub(crate) trait ReadModel: Sync {
    /// The name. Its tables are called `read_models.<name>_<generation>` or `read_models.<name>_<part>_<generation>`.
    fn name(&self) -> &'static str;

    /// Raise it with every change of the tables or of what is written to them: the next start then rebuilds the model.
    /// The test `stored_form_matches_schema_version` fails until it is raised.
    fn schema_version(&self) -> i32;

    /// Whether the model follows streams of this type. Events of others are passed over.
    fn follows(&self, stream_type: &str) -> bool;

    /// Whether events of this type, in a stream that the model follows, mean nothing to it. Do not ignore unknown types:
    /// they are parked until a newer program knows them, instead of being lost.
    fn ignores(&self, event_type: &str) -> bool {
        let _ = event_type;
        false
    }

    /// Whether the event is for this model.
    fn selects(&self, event: &RecordedEvent) -> bool {
        self.follows(event.stream_type.as_str()) && !self.ignores(&event.event_type)
    }

    /// Decodes an event that the model selected. The text of the error is shown to operators.
    fn decode(&self, event: &RecordedEvent) -> Result<Payload, String>;

    /// The tables of a generation.
    fn tables(&self, generation: Generation) -> Vec<Table>;

    /// SQL that creates the tables where they are missing.
    fn create(&self, generation: Generation) -> String;

    /// SQL scripts that create what only readers need (indexes, statistics). They run after the tables are filled, side
    /// by side.
    fn index(&self, generation: Generation) -> Vec<String>;

    /// What fills a generation.
    fn writer(&self, generation: Generation) -> Box<dyn Writer>;

    /// Compares the live generation with the log, independently of the writer.
    fn verify<'a>(
        &'a self,
        verification: &'a mut Verification<'_>,
    ) -> BoxFuture<'a, Result<Vec<Difference>, StoreError>>;
}

/// A table of a generation.
pub(crate) struct Table {
    pub(crate) name: String,
    /// An SQL expression over a row `t` that has a hash and covers the whole row; two generations are compared by it.
    pub(crate) row: &'static str,
}

/// Fills a generation of a read model. It caches the rows that it changed last.
pub(crate) trait Writer: Send + Sync {
    /// Reads the committed rows that these events change into the cache.
    fn load<'a>(
        &'a mut self,
        connection: &'a mut PgConnection,
        events: &'a [DecodedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>>;

    /// Whether [`load`](Self::load) would have nothing to read.
    fn is_loaded(&self, events: &[DecodedEvent]) -> bool;

    /// Folds the events into the cache, as if their changes were written already, and returns the changes.
    fn fold(&mut self, events: &[DecodedEvent]) -> Result<Box<dyn Changes>, ApplyError>;

    /// Empties the cache: the changes were not written, or somebody else has written.
    fn invalidate(&mut self);
}

/// The changes that a batch of events makes to the tables of a generation.
pub(crate) trait Changes: Send {
    /// Writes them in bulk, in the transaction that also advances the checkpoint.
    fn write(self: Box<Self>, connection: &mut PgConnection) -> BoxFuture<'_, Result<(), ApplyError>>;
}

impl dyn Writer + '_ {
    /// Loads, folds and writes.
    pub(crate) async fn apply(
        &mut self,
        connection: &mut PgConnection,
        events: &[DecodedEvent],
    ) -> Result<(), ApplyError> {
        self.load(&mut *connection, events).await?;
        self.fold(events)?.write(connection).await
    }
}

/// Why events were not applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// One of the events can't be applied.
    #[error("{reason}")]
    NotApplicable { position: Position, reason: String },
    /// A stored row can't be read. The program has changed, or somebody has changed the row: no event is to blame, and a
    /// rebuild mends it.
    #[error("{0}")]
    UnreadableRow(String),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What a model made of an event's payload; only that model knows the type.
pub(crate) type Payload = Arc<dyn Any + Send + Sync>;

/// An event that a model has selected and decoded.
#[derive(Clone)]
pub(crate) struct DecodedEvent {
    pub(crate) position: Position,
    pub(crate) stream: StreamId,
    pub(crate) version: Version,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) recorded_at: DateTime<Utc>,
    payload: Payload,
}

impl fmt::Debug for DecodedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecodedEvent({} {} {})", self.position, self.stream, self.version)
    }
}

impl DecodedEvent {
    /// Decodes an event, if the model selects it.
    pub(crate) fn decode(model: &dyn ReadModel, event: &RecordedEvent) -> Content<Self> {
        if !model.selects(event) {
            return Content::NotSelected;
        }
        match model.decode(event) {
            Ok(payload) => Content::Decoded(Self {
                position: event.position,
                stream: event.stream_id,
                version: event.version,
                occurred_at: event.occurred_at,
                recorded_at: event.recorded_at,
                payload,
            }),
            Err(error) => Content::Undecodable(error),
        }
    }

    /// The payload, as the model's [`ReadModel::decode`] made it.
    #[expect(clippy::expect_used, reason = "a model is handed only what it decoded itself")]
    pub(crate) fn payload<E: 'static>(&self) -> &E {
        self.payload.downcast_ref().expect("a model is handed only what it decoded itself")
    }

    pub(crate) fn not_applicable(&self, reason: impl Into<String>) -> ApplyError {
        ApplyError::NotApplicable { position: self.position, reason: reason.into() }
    }

    /// Checks that the event is newer than the version that was folded last. The checkpoint makes sure of that; this
    /// would notice if it did not.
    pub(crate) fn check_newer_than(&self, folded: Version) -> Result<(), ApplyError> {
        if self.version > folded {
            return Ok(());
        }
        Err(self.not_applicable(format!("version {} was to be applied onto version {folded}", self.version)))
    }
}
