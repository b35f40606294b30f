use std::error::Error;
use std::future::Future;

use eventstore::{Position, RecordedEvent, StreamId, Version};
use sqlx::PgConnection;

use super::parking::Parked;
use super::session::SessionError;

/// What a subscription does with events. Its effects are in the log's database.
pub trait Handler: Send + Sync {
    /// What it decodes an event to.
    type Event: LogEvent;
    /// Why it can't go on although no event is to blame.
    type Error: Error + Send + Sync + 'static;

    /// The subscription's name: operators' requests and skipped events go by it.
    fn name(&self) -> &str;

    /// Decodes an event, if it is for this handler. The text of an error is shown to operators.
    fn decode(&self, event: &RecordedEvent) -> Content<Self::Event>;

    /// Runs first in each transaction, and may refuse it.
    fn claim(
        &self,
        connection: &mut PgConnection,
    ) -> impl Future<Output = Result<(), SessionError<Self::Error>>> + Send;

    /// Applies events in order, in the transaction that moves the checkpoint. It may be asked again, with others.
    fn apply(
        &mut self,
        connection: &mut PgConnection,
        events: &[Self::Event],
    ) -> impl Future<Output = Result<(), ApplyError<Self::Error>>> + Send;

    /// What was applied last is not committed: forget what was remembered of it.
    fn rolled_back(&mut self) {}

    /// Events up to a position are committed, those that were passed over included.
    fn handled(&mut self, _through: Position, _events: usize) {}
}

/// A decoded event knows where it stands.
pub trait LogEvent: Clone + Send + Sync {
    /// Its stream.
    fn stream(&self) -> StreamId;
    /// Its position in the log.
    fn position(&self) -> Position;
}

/// What a handler makes of an event.
#[derive(Debug)]
pub enum Content<E> {
    /// It is not for this handler.
    NotSelected,
    /// It is.
    Decoded(E),
    /// It is, and can't be read. The stream is parked.
    Undecodable(String),
}

/// An event of the log, and what a handler makes of it.
#[derive(Debug)]
pub struct Envelope<E> {
    /// Its position in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its version in the stream.
    pub version: Version,
    /// What it is.
    pub content: Content<E>,
}

impl<E> Envelope<E> {
    /// Decodes an event.
    pub fn open<H: Handler<Event = E>>(handler: &H, event: &RecordedEvent) -> Self {
        let (position, stream, version) = (event.position, event.stream_id, event.version);
        Self { position, stream, version, content: handler.decode(event) }
    }

    /// The stream, parked at this event.
    pub(super) fn parked(&self, error: String) -> Parked {
        Parked { stream: self.stream, position: self.position, version: self.version, error }
    }
}

/// Why events were not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError<E> {
    /// This event can't be applied: its stream is parked.
    #[error("{reason}")]
    NotApplicable {
        /// The event.
        position: Position,
        /// Why, for operators.
        reason: String,
    },
    /// No event is to blame.
    #[error(transparent)]
    Handler(E),
    /// The database refused. If it refused the data, one of the events is to blame.
    #[error("the database refused: {0}")]
    Database(#[from] sqlx::Error),
}
