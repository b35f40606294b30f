//! Named persistent subscriptions: one process at a time reads the log for a name, from a checkpoint that survives it.

mod options;
mod transaction;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::{FutureExt, Stream, StreamExt};
use sqlx::{Connection, PgConnection};
use tokio::time::{Interval, MissedTickBehavior};

use crate::follow::Scan;
use crate::{Checkpoint, EventStore, Lead, LogRange, Position, RecordedEvent, StoreError};

pub use self::options::{StartFrom, SubscriptionOptions};
pub use self::transaction::SubscriptionTransaction;

/// Events to be handled together.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Batch {
    /// In log order, without a gap between those that the subscription selects; never empty.
    pub events: Vec<Arc<RecordedEvent>>,
    /// The position that is handled with them.
    pub through: Position,
}

/// Why a subscription can't go on. After any of them but [`Self::Store`], subscribe again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// The connection that held the leadership is lost, or another process has moved the checkpoint. What was not committed
    /// is handled by the next leader.
    #[error("the leadership of subscription {name:?} is lost")]
    LeadershipLost {
        /// The subscription.
        name: String,
        /// What the connection reported, if that was the reason.
        #[source]
        source: Option<StoreError>,
    },
    /// The store was closed.
    #[error("the event store is closed")]
    Closed,
    /// The database did not do what was asked; the leadership is still held.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A named reader of the log that leads: no other process reads for this name.
///
/// Batches come from [`Self::next`]. A batch is handled in one of two ways:
/// - exactly once, for effects in this database: [`Self::begin`] a transaction, write over it, and
///   [`SubscriptionTransaction::commit`] the checkpoint with it;
/// - at least once, for effects elsewhere: [`Self::acknowledge`] the position when the effect is done.
///
/// A batch that was not handled is delivered again by the next call of [`Self::next`].
///
/// ```no_run
/// # use eventstore::*;
/// # async fn example(store: EventStore) -> Result<(), Box<dyn std::error::Error>> {
/// let options = SubscriptionOptions::new().of_types([StreamType::from_static("ticket")]);
/// let mut subscription = store.subscribe("ticket-counts", options).await?;
/// loop {
///     let batch = subscription.next().await?;
///     let mut transaction = subscription.begin().await?;
///     for event in &batch.events {
///         sqlx::query("insert into counts values ($1, 1) on conflict (type) do update set count = counts.count + 1")
///             .bind(&event.event_type)
///             .execute(transaction.connection())
///             .await?;
///     }
///     transaction.commit(batch.through).await?;
/// }
/// # }
/// ```
pub struct Subscription {
    store: EventStore,
    lead: Lead,
    name: String,
    options: SubscriptionOptions,
    /// What the checkpoint says.
    position: Position,
    /// What has been delivered since.
    delivered: Position,
    /// What was read past without finding a selected event.
    scanned: Position,
    log: Pin<Box<dyn Stream<Item = Scan> + Send>>,
    /// Read and not delivered yet.
    pending: Scan,
    heartbeat: Interval,
}

impl EventStore {
    /// Becomes the one reader of a name: waits until no other process is, and goes on at the checkpoint.
    ///
    /// # Errors
    /// [`SubscriptionError::Closed`] once the store is closed; otherwise faults of the database.
    pub async fn subscribe(&self, name: &str, options: SubscriptionOptions) -> Result<Subscription, SubscriptionError> {
        let lead = self.lead(&format!("subscription {name}")).await?;
        self.subscribe_as(lead, name, options).await
    }

    /// The same under a leadership that is already held, perhaps by another name than the checkpoint's: a leader may have
    /// several checkpoints, one after the other. [`Subscription::into_lead`] gives it back.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn subscribe_as(
        &self,
        mut lead: Lead,
        name: &str,
        options: SubscriptionOptions,
    ) -> Result<Subscription, SubscriptionError> {
        let lost = |error| lost(name, error);
        let position = match Checkpoint::find(lead.connection(), name).await.map_err(lost)? {
            Some(position) => position,
            None => start(self, lead.connection(), name, options.start).await.map_err(lost)?,
        };
        let silence = self.appender.options().lead_silence;
        let mut heartbeat = tokio::time::interval(silence / 3);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let log = scans(self, position, &options);
        Ok(Subscription {
            store: self.clone(),
            lead,
            name: name.to_owned(),
            options,
            position,
            delivered: position,
            scanned: position,
            log,
            pending: Scan::default(),
            heartbeat,
        })
    }
}

/// Makes the checkpoint at once: what is appended before the first batch is handled is not passed over by a restart.
async fn start(
    store: &EventStore,
    connection: &mut PgConnection,
    name: &str,
    start: StartFrom,
) -> Result<Position, StoreError> {
    let position = match start {
        StartFrom::Beginning => Position(0),
        StartFrom::End => store.head().await?,
        StartFrom::After(position) => position,
    };
    sqlx::query("insert into checkpoints (name, position, updated_at) values ($1, $2, now())")
        .bind(name)
        .bind(position.0)
        .execute(connection)
        .await?;
    Ok(position)
}

fn scans(
    store: &EventStore,
    after: Position,
    options: &SubscriptionOptions,
) -> Pin<Box<dyn Stream<Item = Scan> + Send>> {
    Box::pin(store.follow_scans(LogRange { after, types: options.types.clone() }))
}

impl Subscription {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The checkpoint: the last position that is handled.
    pub fn position(&self) -> Position {
        self.position
    }

    /// How many positions the end of the log is ahead of the checkpoint.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn lag(&self) -> Result<u64, StoreError> {
        Ok(self.store.head().await?.0.saturating_sub(self.position.0).max(0).unsigned_abs())
    }

    /// The connection that holds the leadership: what is written over it can't be written after the leadership is lost.
    pub fn connection(&mut self) -> &mut PgConnection {
        self.lead.connection()
    }

    /// Ends the subscription and keeps the leadership.
    pub fn into_lead(self) -> Lead {
        self.lead
    }

    /// The next batch, as soon as there is one. A batch that was delivered and neither committed nor acknowledged comes
    /// again. May be cancelled: no event is lost by that.
    ///
    /// # Errors
    /// See [`SubscriptionError`]; while it waits, the leadership is looked after every third of
    /// [`crate::Options::lead_silence`].
    pub async fn next(&mut self) -> Result<Batch, SubscriptionError> {
        if self.delivered != self.position {
            self.restart();
        }
        while self.pending.events.is_empty() {
            tokio::select! {
                scan = self.log.next() => {
                    self.pending = scan.ok_or(SubscriptionError::Closed)?;
                    self.scanned = self.pending.through;
                }
                _ = self.heartbeat.tick() => self.beat().await?,
            }
        }
        let batch = self.fill();
        self.delivered = batch.through;
        Ok(batch)
    }

    /// Begins a transaction over the connection that holds the leadership.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn begin(&mut self) -> Result<SubscriptionTransaction<'_>, SubscriptionError> {
        let Self { lead, name, position, delivered, .. } = self;
        let transaction = lead.connection().begin().await.map_err(|error| lost(name, error.into()))?;
        Ok(SubscriptionTransaction { transaction, name, position, delivered })
    }

    /// Moves the checkpoint, after an effect that is not in this database.
    ///
    /// # Errors
    /// If it fails, the events up to there are delivered again.
    pub async fn acknowledge(&mut self, through: Position) -> Result<(), SubscriptionError> {
        self.begin().await?.commit(through).await
    }

    fn restart(&mut self) {
        self.log = scans(&self.store, self.position, &self.options);
        self.pending = Scan::default();
        (self.delivered, self.scanned) = (self.position, self.position);
    }

    /// Keeps the session alive, and the checkpoint close to what was read past.
    async fn beat(&mut self) -> Result<(), SubscriptionError> {
        if self.scanned > self.position {
            return self.acknowledge(self.scanned).await;
        }
        let Self { lead, name, .. } = self;
        lead.connection().ping().await.map_err(|error| lost(name, error.into()))
    }

    /// What is pending and what else is there already, within the bounds.
    fn fill(&mut self) -> Batch {
        let (mut events, mut bytes): (Vec<Arc<RecordedEvent>>, usize) = (Vec::new(), 0);
        loop {
            let mut rest = std::mem::take(&mut self.pending.events).into_iter();
            while let Some(event) = rest.next() {
                let within = events.len() < self.options.max_events && bytes + event.bytes() <= self.options.max_bytes;
                if let (false, Some(last)) = (within, events.last()) {
                    let through = last.position;
                    self.pending.events = std::iter::once(event).chain(rest).collect();
                    return Batch { events, through };
                }
                bytes += event.bytes();
                events.push(event);
            }
            let through = self.pending.through;
            match self.log.next().now_or_never() {
                Some(Some(scan)) => {
                    self.pending = scan;
                    self.scanned = self.pending.through;
                }
                _ => return Batch { events, through },
            }
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("name", &self.name)
            .field("position", &self.position)
            .field("delivered", &self.delivered)
            .finish_non_exhaustive()
    }
}

/// An error on the connection that holds the leadership.
fn lost(name: &str, error: StoreError) -> SubscriptionError {
    if error.is_connection_lost() {
        SubscriptionError::LeadershipLost { name: name.to_owned(), source: Some(error) }
    } else {
        SubscriptionError::Store(error)
    }
}
