use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use eventstore::{EventStore, Position, RecordedEvent, Snapshot, StoreError, StreamId, StreamRange, Version};
use futures_util::{Stream, TryStreamExt};
use serde::{Deserialize, Serialize};
use shared_kernel::Aggregate;

use crate::cache::Cache;
use crate::versioned::stream_of;
use crate::{ExecuteError, Versioned, codec};

/// A snapshot is kept each time that so many events have come to a record.
const SNAPSHOT_EVERY: i64 = 100;

/// How old a state may be that is read as a fact for something else.
pub const RECENT: Duration = Duration::from_secs(2);

/// Which state of a record is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// The newest.
    Now,
    /// After that many events.
    Version(Version),
    /// After what had happened by then (`occurred_at`).
    Time(DateTime<Utc>),
}

/// The records of one aggregate: reads them from their streams, through a cache and snapshots. Cheap to clone.
#[derive(Debug)]
pub struct Records<A: Aggregate> {
    store: EventStore,
    cache: Cache<A>,
    /// The records that were compared with the log within [`RECENT`].
    compared: moka::sync::Cache<A::Id, ()>,
}

impl<A: Aggregate> Clone for Records<A> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), cache: self.cache.clone(), compared: self.compared.clone() }
    }
}

/// What a snapshot holds beside its version.
#[derive(Serialize, Deserialize)]
pub(crate) struct SnapshotBody<S> {
    pub(crate) stream: StreamId,
    pub(crate) position: Position,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) state: S,
}

impl<A: Aggregate> Records<A> {
    /// Over an open log, with a cache of about so many bytes.
    pub fn new(store: EventStore, cached_bytes: usize) -> Self {
        let compared = moka::sync::Cache::builder().max_capacity(100_000).time_to_live(RECENT).build();
        Self { store, cache: Cache::new(cached_bytes), compared }
    }

    /// The stream of a record.
    pub fn stream(id: A::Id) -> StreamId {
        stream_of::<A>(id)
    }

    /// What is in memory of a record; may be stale.
    pub fn cached(&self, id: A::Id) -> Option<Arc<Versioned<A>>> {
        self.cache.get(id)
    }

    /// The newest state: what is in memory, and what came after it. Never older than what was acknowledged before the
    /// call. `None`: there is no such stream, or it is of another type.
    ///
    /// # Errors
    /// If the database fails, or an event can't be read.
    pub async fn current(&self, id: A::Id) -> Result<Option<Arc<Versioned<A>>>, ExecuteError> {
        let known = self.cache.get(id);
        let record = self.refreshed(id, known).await?;
        if let Some(record) = &record {
            self.cache.keep(record);
            self.compared.insert(id, ());
        }
        Ok(record)
    }

    /// A state that is at most [`RECENT`] old, and never older than what this process has appended: for facts that a decision
    /// on another record reads and does not demand. Costs no query most of the time.
    ///
    /// # Errors
    /// If the database fails, or an event can't be read.
    pub async fn recent(&self, id: A::Id) -> Result<Option<Arc<Versioned<A>>>, ExecuteError> {
        match self.cache.get(id) {
            Some(known) if self.compared.contains_key(&id) => Ok(Some(known)),
            _ => self.current(id).await,
        }
    }

    /// A state of the past. `None`: there is no such record, or it had no such version, or none by then.
    ///
    /// # Errors
    /// If the database fails, or an event can't be read.
    pub async fn as_of(&self, id: A::Id, as_of: AsOf) -> Result<Option<Arc<Versioned<A>>>, ExecuteError> {
        match as_of {
            AsOf::Now => self.current(id).await,
            AsOf::Version(version) => {
                let range = StreamRange { until_version: Some(version), ..StreamRange::default() };
                let record = self.folded(id, range).await?;
                Ok(record.filter(|record| record.version == version).map(Arc::new))
            }
            AsOf::Time(time) => {
                let range = StreamRange { until_time: Some(time), ..StreamRange::default() };
                Ok(self.folded(id, range).await?.map(Arc::new))
            }
        }
    }

    async fn refreshed(
        &self,
        id: A::Id,
        known: Option<Arc<Versioned<A>>>,
    ) -> Result<Option<Arc<Versioned<A>>>, ExecuteError> {
        let Some(known) = known else {
            return Ok(self.folded(id, StreamRange::default()).await?.map(Arc::new));
        };
        // the last known event is read again: if it is not where it was, the log is another one (restored, or
        // failed over to a standby that lacked its end), and what is known of it is worth nothing
        let from = StreamRange::after(Version(known.version.0 - 1)).of_type(codec::stream_type::<A>());
        let mut pages = pin!(self.store.stream_pages(stream_of::<A>(id), from));
        let first = pages.try_next().await?.unwrap_or_default();
        match first.split_first() {
            Some((last, news)) if last.position == known.position && last.version == known.version => {
                if news.is_empty() {
                    return Ok(Some(known));
                }
                let record = fold(Some(Versioned::clone(&known)), news)?;
                Ok(fold_pages(record, pages).await?.map(Arc::new))
            }
            _ => {
                self.cache.forget(id);
                Ok(self.folded(id, StreamRange::default()).await?.map(Arc::new))
            }
        }
    }

    /// Folds a part of a stream from its beginning, or from a snapshot within the part.
    async fn folded(&self, id: A::Id, range: StreamRange) -> Result<Option<Versioned<A>>, ExecuteError> {
        let stream = stream_of::<A>(id);
        let range = range.of_type(codec::stream_type::<A>());
        if range.until_time.is_some() {
            return fold_pages(None, self.store.stream_pages(stream, range)).await;
        }
        let snapshot = self.store.snapshot(stream, A::STATE_SCHEMA, range.until_version).await?;
        let known = snapshot.and_then(|snapshot| read_snapshot::<A>(id, &snapshot));
        let after = known.as_ref().map_or(Version(0), |known| known.version);
        fold_pages(known, self.store.stream_pages(stream, StreamRange { after, ..range })).await
    }

    /// Takes over a record that was just appended to.
    pub(crate) fn keep(&self, before: Version, record: &Arc<Versioned<A>>) {
        self.cache.keep(record);
        if before.0 / SNAPSHOT_EVERY != record.version.0 / SNAPSHOT_EVERY {
            self.keep_snapshot(record.clone());
        }
    }

    /// Keeps a snapshot. Nobody waits for it, and nobody needs it.
    fn keep_snapshot(&self, record: Arc<Versioned<A>>) {
        let store = self.store.clone();
        tokio::spawn(async move {
            let Versioned { position, occurred_at, ref state, .. } = *record;
            let body = SnapshotBody { stream: stream_of::<A>(record.id), position, occurred_at, state };
            let state = match serde_json::to_string(&body) {
                Ok(state) => state,
                Err(error) => return tracing::error!(record = %record.id, %error, "a state has no JSON form"),
            };
            let snapshot = Snapshot { version: record.version, state };
            if let Err(error) = store.keep_snapshot(stream_of::<A>(record.id), A::STATE_SCHEMA, &snapshot).await {
                tracing::warn!(record = %record.id, %error, "no snapshot was kept");
            }
        });
    }
}

/// A snapshot that can't be read is passed over: it is a shortcut, not the truth.
fn read_snapshot<A: Aggregate>(id: A::Id, snapshot: &Snapshot) -> Option<Versioned<A>> {
    let body: SnapshotBody<A::State> = serde_json::from_str(&snapshot.state)
        .inspect_err(|error| tracing::warn!(record = %id, %error, "a snapshot can't be read"))
        .ok()?;
    let SnapshotBody { stream, position, occurred_at, state } = body;
    let own = stream == stream_of::<A>(id);
    own.then_some(Versioned { id, version: snapshot.version, position, occurred_at, state })
}

/// Folds further events onto a record.
///
/// # Errors
/// If one of them can't be read.
pub(crate) fn fold<A: Aggregate>(
    known: Option<Versioned<A>>,
    events: &[RecordedEvent],
) -> Result<Option<Versioned<A>>, ExecuteError> {
    let Some(last) = events.last() else { return Ok(known) };
    let mut state = known.map(|known| known.state);
    for recorded in events {
        let event = codec::decode(recorded)?;
        state = A::evolve(state, &event, &codec::stamp(recorded.version, recorded.occurred_at));
    }
    Ok(state.map(|state| Versioned {
        id: last.stream_id.0.into(),
        version: last.version,
        position: last.position,
        occurred_at: last.occurred_at,
        state,
    }))
}

/// The same with those that are still to be read.
async fn fold_pages<A: Aggregate>(
    mut known: Option<Versioned<A>>,
    pages: impl Stream<Item = Result<Vec<RecordedEvent>, StoreError>>,
) -> Result<Option<Versioned<A>>, ExecuteError> {
    let mut pages = pin!(pages);
    while let Some(page) = pages.try_next().await? {
        known = fold(known, &page)?;
    }
    Ok(known)
}

/// Folds recorded events of one stream, in order, from its beginning.
impl<A: Aggregate> Versioned<A> {
    /// The fold of the first events of a stream; `None` without any that opens a record.
    ///
    /// # Errors
    /// If one of them can't be read.
    pub fn fold(events: &[RecordedEvent]) -> Result<Option<Self>, ExecuteError> {
        fold(None, events)
    }
}
