//! What a read model's audit works with: one snapshot of the live generation, and the log up to its position.

use std::collections::{HashMap, HashSet};

use eventsourcing::subscription::Parked;
use eventstore::{EventStore, Position, RecordedEvent, StoreError, StreamId};
use futures_util::{Stream, StreamExt};
use sqlx::PgConnection;

use crate::generation::Generation;

/// A difference between a read model and the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The read model.
    pub projection: &'static str,
    /// The stream that the differing row belongs to; `None` for sums over streams.
    pub stream: Option<StreamId>,
    /// What differs.
    pub detail: String,
}

/// The audit of one live generation. The connection's transaction is one snapshot of rows, checkpoint, parked streams
/// and skips.
pub(crate) struct Verification<'a> {
    pub(crate) store: &'a EventStore,
    pub(crate) connection: PgConnection,
    pub(crate) generation: Generation,
    pub(crate) scope: Scope,
    /// Is called with the number of events read so far.
    pub(crate) progress: &'a mut (dyn FnMut(u64) + Send),
}

/// The events that a generation has applied.
pub(crate) struct Scope {
    pub(crate) position: Position,
    pub(crate) parked: HashMap<StreamId, Parked>,
    pub(crate) skips: HashSet<Position>,
}

impl Scope {
    fn contains(&self, event: &RecordedEvent) -> bool {
        let parked = self.parked.get(&event.stream_id);
        event.position <= self.position
            && !self.skips.contains(&event.position)
            && parked.is_none_or(|parked| event.position < parked.position)
    }
}

/// Folds each stream of the log, in the order of their ids, over the events that the generation has applied. `fold`
/// passes over what the model does not select. One stream is in memory at a time.
pub(crate) fn fold_streams<'a, S: Default + 'a>(
    store: &'a EventStore,
    scope: &'a Scope,
    progress: &'a mut (dyn FnMut(u64) + Send),
    fold: fn(&mut S, &RecordedEvent),
) -> impl Stream<Item = Result<(StreamId, S), StoreError>> + 'a {
    let events = Box::pin(store.read_streams().peekable());
    futures_util::stream::try_unfold((events, 0_u64, progress), move |(mut events, mut count, progress)| async move {
        let Some(first) = events.next().await.transpose()? else { return Ok(None) };
        let stream = first.stream_id;
        let mut state = S::default();
        let mut next = Some(first);
        while let Some(event) = next {
            count += 1;
            if scope.contains(&event) {
                fold(&mut state, &event);
            }
            let of_stream =
                |next: &Result<RecordedEvent, StoreError>| next.as_ref().map_or(true, |next| next.stream_id == stream);
            next = events.as_mut().next_if(of_stream).await.transpose()?;
        }
        progress(count);
        Ok(Some(((stream, state), (events, count, progress))))
    })
}
