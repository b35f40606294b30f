//! Folded tickets in memory. An entry may be stale; it then shows as a conflict at the append, and
//! is refreshed by reading what came after it.

use std::sync::{Arc, PoisonError, RwLock};

use moka::policy::EvictionPolicy;
use ticket_aggregate::TicketId;

use crate::VersionedTicket;

#[derive(Clone, Debug)]
pub(crate) struct Cache(moka::sync::Cache<TicketId, Arc<Slot>>);

/// A ticket's place in memory.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// Commands to one ticket take turns in a process: each sees what the one before it left,
    /// instead of losing a race at the append. Between processes the expected version decides.
    pub(crate) turn: tokio::sync::Mutex<()>,
    folded: RwLock<Option<Arc<VersionedTicket>>>,
}

/// What the cache counts in: a ticket has room for small changes until it is weighed again.
const UNIT: usize = 1024;

impl Cache {
    /// Of about so many bytes. The least recently used goes. By how often they were used, which is moka's own measure, a
    /// ticket that was just opened would find no place beside yesterday's.
    pub(crate) fn new(bytes: usize) -> Self {
        let cache = moka::sync::Cache::builder()
            .max_capacity(u64::try_from(bytes / UNIT).unwrap_or(u64::MAX))
            .weigher(|_, slot: &Arc<Slot>| slot.get().map_or(1, |folded| units(&folded)))
            .eviction_policy(EvictionPolicy::lru());
        Self(cache.build())
    }

    pub(crate) fn slot(&self, ticket: TicketId) -> Arc<Slot> {
        self.0.get_with(ticket, Arc::default)
    }

    /// Keeps what is newer than what is there.
    pub(crate) fn keep(&self, slot: &Arc<Slot>, folded: &Arc<VersionedTicket>) {
        let before = {
            let mut kept = slot.folded.write().unwrap_or_else(PoisonError::into_inner);
            if kept.as_ref().is_some_and(|kept| kept.version >= folded.version) {
                return;
            }
            kept.replace(folded.clone())
        };
        if before.is_none_or(|before| units(&before) != units(folded)) {
            // the same place, weighed again
            self.0.insert(folded.id, slot.clone());
        }
    }

    pub(crate) fn forget(&self, ticket: TicketId) {
        self.0.invalidate(&ticket);
    }
}

/// What a ticket takes of memory, about.
fn units(folded: &VersionedTicket) -> u32 {
    let ticket = &folded.ticket;
    let strings = ticket.followers.iter().chain(&ticket.source_ids).map(|text| text.len() + 64).sum::<usize>();
    let small = (ticket.tags.len() + ticket.links.len()) * 128;
    let bytes = size_of::<VersionedTicket>() + ticket.subject.len() + ticket.body.len() + strings + small;
    u32::try_from(1 + bytes / UNIT).unwrap_or(u32::MAX)
}

impl Slot {
    pub(crate) fn get(&self) -> Option<Arc<VersionedTicket>> {
        self.folded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folded::{fold, tests::opened};

    #[test]
    fn long_tickets_take_no_more_memory_than_short_ones_just_more_of_the_places() {
        let cache = Cache::new(1024 * 1024);
        let mut folded = fold(None, &[opened()]).unwrap().unwrap();
        for (length, most) in [(60_000, 17), (10, 1_024)] {
            folded.ticket.body = "x".repeat(length);
            for n in 0..2_000 {
                folded.id = TicketId(uuid::Uuid::from_u128(n));
                let slot = cache.slot(folded.id);
                cache.keep(&slot, &Arc::new(folded.clone()));
                // not newer: it stays as it is
                cache.keep(&slot, &Arc::new(folded.clone()));
            }
            cache.0.run_pending_tasks();
            let kept = cache.0.iter().filter(|(_, slot)| slot.get().is_some()).count();
            assert!(kept <= most && kept > most / 2 - 1, "{kept} of {length}");
            assert!(cache.0.weighted_size() <= 1_024);
            cache.0.invalidate_all();
        }
    }
}
