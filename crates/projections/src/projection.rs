//! What a read model says of itself, and how it takes events.

use chrono::{DateTime, Utc};
use eventstore::{Position, RecordedEvent, StreamId, Version};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use ticket_aggregate::{Event, Stamp, StreamVersion, codec};

use crate::generations::Generation;

/// A read model.
pub(crate) trait Projection: Sync {
    /// Its name; a part of its tables' names.
    fn name(&self) -> &'static str;

    /// To be raised whenever its tables, or what is written to them, change: it is then rebuilt.
    fn schema_version(&self) -> i32;

    /// Whether events of this type mean anything to it. One that the program is too old to know must be
    /// wanted where it might: it is then parked, not passed over.
    fn wants(&self, event_type: &str) -> bool;

    /// Its tables in a generation.
    fn tables(&self, generation: Generation) -> Vec<Table>;

    /// The SQL that makes its tables, where they are not there.
    fn create(&self, generation: Generation) -> String;

    /// The SQL that makes what only readers need, where it is not there: indexes are made after the filling. Several
    /// scripts run side by side.
    fn index(&self, generation: Generation) -> Vec<String>;

    /// What fills a generation.
    fn writer(&self, generation: Generation) -> Box<dyn Writer>;
}

/// A table of a generation.
pub(crate) struct Table {
    pub(crate) name: String,
    /// All that a row `t` holds, as a record that has a hash: two generations are compared by it.
    pub(crate) row: &'static str,
}

/// Fills a generation of a read model.
pub(crate) trait Writer: Send + Sync {
    /// Remembers what it has to know of the tickets that events are about, as it is committed.
    fn load<'a>(
        &'a mut self,
        connection: &'a mut PgConnection,
        facts: &'a [Fact],
    ) -> BoxFuture<'a, Result<(), ApplyError>>;

    /// Whether it knows all that already.
    fn knows(&self, facts: &[Fact]) -> bool;

    /// What events change, and remembers it as if it were written.
    fn fold(&mut self, facts: &[Fact]) -> Result<Box<dyn Changes>, ApplyError>;

    /// Forgets what it remembers: it was not written after all, or somebody else has written.
    fn forget(&mut self);
}

/// What some events change in a generation's tables.
pub(crate) trait Changes: Send {
    /// Writes it, in bulk, within the transaction that also moves the cursor.
    fn write(self: Box<Self>, connection: &mut PgConnection) -> BoxFuture<'_, Result<(), ApplyError>>;
}

impl dyn Writer + '_ {
    /// Loads, folds and writes.
    pub(crate) async fn apply(&mut self, connection: &mut PgConnection, facts: &[Fact]) -> Result<(), ApplyError> {
        self.load(&mut *connection, facts).await?;
        self.fold(facts)?.write(connection).await
    }
}

/// Why events were not applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// One of them can't be.
    #[error("{reason}")]
    Unfit { position: Position, reason: String },
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// An event that a projection wants, decoded.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) position: Position,
    pub(crate) stream: StreamId,
    pub(crate) version: Version,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) event: Event,
}

impl Fact {
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { occurred_at: self.occurred_at, version: StreamVersion(self.version.0.unsigned_abs()) }
    }

    pub(crate) fn unfit(&self, reason: impl Into<String>) -> ApplyError {
        ApplyError::Unfit { position: self.position, reason: reason.into() }
    }

    /// Exactly once is the cursor's doing; that it was done is checked here, by the version that was folded last.
    pub(crate) fn follows(&self, known: StreamVersion) -> Result<(), ApplyError> {
        if self.version.0.unsigned_abs() > known.0 {
            return Ok(());
        }
        Err(self.unfit(format!("version {} was to be applied onto version {known}", self.version)))
    }
}

/// An event of the log as a projection takes it.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) position: Position,
    pub(crate) stream: StreamId,
    pub(crate) version: Version,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    Unwanted,
    Fact(Box<Fact>),
    Unreadable(String),
}

impl Incoming {
    pub(crate) fn read(projection: &dyn Projection, event: &RecordedEvent) -> Self {
        let content = if projection.wants(&event.event_type) {
            match codec::decode(&event.event_type, event.schema_version, &event.payload) {
                Ok(decoded) => Content::Fact(Box::new(Fact {
                    position: event.position,
                    stream: event.stream_id,
                    version: event.version,
                    occurred_at: event.occurred_at,
                    event: decoded,
                })),
                Err(error) => Content::Unreadable(chain(&error)),
            }
        } else {
            Content::Unwanted
        };
        Self { position: event.position, stream: event.stream_id, version: event.version, content }
    }
}

/// An error and its sources in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
