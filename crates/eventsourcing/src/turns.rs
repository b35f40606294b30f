//! Commands on one stream take turns within a process: each sees what the one before it left, instead of losing a race
//! at the append. Between processes the expected version decides, so that a turn is a hint and never needed for
//! correctness.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use eventstore::StreamId;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Streams share this many turns. Two streams rarely meet in one, and then merely wait for each other.
const STRIPES: u64 = 8_192;

#[derive(Clone, Debug)]
pub(crate) struct Turns {
    stripes: Arc<[Arc<Mutex<()>>]>,
    hasher: RandomState,
}

/// The turns that a command holds.
pub(crate) struct HeldTurns {
    stripes: BTreeSet<usize>,
    _guards: Vec<OwnedMutexGuard<()>>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self { stripes: (0..STRIPES).map(|_| Arc::default()).collect(), hasher: RandomState::new() }
    }

    /// Waits for the turns of all these streams, in one order for everybody, so that no two wait for each other.
    pub(crate) async fn take(&self, streams: impl IntoIterator<Item = StreamId>) -> HeldTurns {
        let stripes: BTreeSet<usize> = streams.into_iter().map(|stream| self.stripe(stream)).collect();
        let mut guards = Vec::with_capacity(stripes.len());
        for stripe in &stripes {
            guards.push(self.stripes[*stripe].clone().lock_owned().await);
        }
        HeldTurns { stripes, _guards: guards }
    }

    pub(crate) fn covers(&self, held: &HeldTurns, streams: &[StreamId]) -> bool {
        streams.iter().all(|stream| held.stripes.contains(&self.stripe(*stream)))
    }

    fn stripe(&self, stream: StreamId) -> usize {
        usize::try_from(self.hasher.hash_one(stream) % STRIPES).expect("below STRIPES")
    }
}
