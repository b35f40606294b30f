//! Folded tickets in memory. An entry may be stale; it then shows as a conflict at the append, and
//! is refreshed by reading what came after it.

use std::sync::{Arc, PoisonError, RwLock};

use moka::policy::EvictionPolicy;
use ticket_aggregate::TicketId;

use crate::Folded;

#[derive(Clone, Debug)]
pub(crate) struct Cache(moka::sync::Cache<TicketId, Arc<Slot>>);

/// A ticket's place in memory.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// Commands to one ticket take turns in a process: each sees what the one before it left,
    /// instead of losing a race at the append. Between processes the expected version decides.
    pub(crate) turn: tokio::sync::Mutex<()>,
    folded: RwLock<Option<Arc<Folded>>>,
}

impl Cache {
    /// The least recently used goes. By how often they were used, which is moka's own measure, a ticket that was just opened
    /// would find no place beside yesterday's.
    pub(crate) fn new(capacity: u64) -> Self {
        Self(moka::sync::Cache::builder().max_capacity(capacity).eviction_policy(EvictionPolicy::lru()).build())
    }

    pub(crate) fn slot(&self, ticket: TicketId) -> Arc<Slot> {
        self.0.get_with(ticket, Arc::default)
    }

    pub(crate) fn forget(&self, ticket: TicketId) {
        self.0.invalidate(&ticket);
    }
}

impl Slot {
    pub(crate) fn get(&self) -> Option<Arc<Folded>> {
        self.folded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what is newer than what is there.
    pub(crate) fn put(&self, folded: &Arc<Folded>) {
        let mut kept = self.folded.write().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_none_or(|k| k.version < folded.version) {
            *kept = Some(folded.clone());
        }
    }
}
