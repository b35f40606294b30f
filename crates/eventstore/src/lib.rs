#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod aliases;
mod append;
mod checkpoint;
mod error;
mod event;
#[doc(hidden)]
pub mod failpoint;
mod failpoints;
mod follow;
mod ids;
mod installation;
mod leadership;
mod metrics;
mod notify;
mod pages;
#[cfg(feature = "planted-bugs")]
#[doc(hidden)]
pub mod planted;
mod range;
mod read;
mod receipts;
mod schema;
mod session;
mod snapshots;
mod stream_type;
mod subscription;
mod unit;

use std::sync::Arc;

use sqlx::PgPool;
use tracing::Instrument;

pub use aliases::HeldAliases;
pub use append::{Appended, Outcome};
pub use checkpoint::Checkpoint;
pub use error::{AppendError, Cause, StoreError};
pub use event::{Metadata, NewEvent, RecordedEvent};
pub use follow::Chunk;
pub use ids::{CommandId, Position, StreamId, Version};
pub use leadership::Lead;
pub use range::{LogRange, StreamRange};
pub use receipts::RecordedReceipt;
pub use schema::{MigrateError, migrate, schema_digest};
pub use session::Options;
pub use snapshots::{Snapshot, SnapshotKey};
pub use stream_type::{InvalidStreamType, StreamType};
pub use subscription::{
    Batch, StartFrom, Subscription, SubscriptionError, SubscriptionOptions, SubscriptionTransaction,
};
pub use unit::{
    Alias, Append, Demand, Expected, MAX_EVENT_BYTES, MAX_UNIT_EVENTS, Receipt, ReceiptKey, Retention, Unit,
};

/// The log: append to it and read it. Cheap to clone; all clones share one appender, one tailer and one
/// connection that stands by for leaderships.
#[derive(Clone, Debug)]
pub struct EventStore {
    pool: PgPool,
    appender: Arc<append::Appender>,
    tail: Arc<follow::Tail>,
    standby: Arc<leadership::Standby>,
}

impl EventStore {
    /// Opens the log. Reads go over the pool, appends over a connection of their own with the pool's connect options. Starts
    /// the appender's task on the current Tokio runtime. The schema must be there: see [`migrate`].
    pub fn open(pool: PgPool, options: Options) -> Self {
        let appender = append::Appender::start(&pool, options);
        Self { pool, appender: Arc::new(appender), tail: Arc::default(), standby: Arc::default() }
    }

    /// Appends a unit as a whole or not at all. Returns once it is committed.
    ///
    /// # Errors
    /// See [`AppendError`]; all but [`AppendError::OutcomeUnknown`] mean that nothing was appended.
    pub async fn append(&self, unit: Unit) -> Result<Outcome, AppendError> {
        let events = unit.appends.iter().map(|append| append.events.len()).sum::<usize>();
        self.appender.append(unit).instrument(tracing::info_span!("append", events)).await
    }

    /// Whether appends are accepted; they are not after [`Self::close`].
    pub fn is_open(&self) -> bool {
        self.appender.is_open()
    }

    /// Refuses new appends, waits until the queued ones are answered, and closes.
    pub async fn close(&self) {
        self.appender.close().await;
        self.pool.close().await;
    }

    /// The position of the last event; zero in an empty log.
    pub async fn head(&self) -> Result<Position, StoreError> {
        read::head(&self.pool).await
    }
}
