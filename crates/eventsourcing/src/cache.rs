//! Folded records in memory. An entry may be stale: then the append is a conflict, and what came after is read.

use std::sync::{Arc, PoisonError, RwLock};

use moka::policy::EvictionPolicy;
use shared_kernel::Aggregate;

use crate::Versioned;

#[derive(Debug)]
pub(crate) struct Cache<A: Aggregate>(moka::sync::Cache<A::Id, Arc<Entry<A>>>);

/// A record's place. Replacing what is in it needs no write to the cache itself unless its weight changes.
#[derive(Debug)]
struct Entry<A: Aggregate>(RwLock<Option<Arc<Versioned<A>>>>);

/// The cache weighs in units of so many bytes: a record may grow a little until it is weighed again.
const UNIT: usize = 1024;

impl<A: Aggregate> Clone for Cache<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Aggregate> Cache<A> {
    /// A cache of about so many bytes. The least recently used record goes first: by moka's own measure, frequency, a
    /// record that was just made would not get in beside yesterday's.
    pub(crate) fn new(bytes: usize) -> Self {
        let cache = moka::sync::Cache::builder()
            .max_capacity(u64::try_from(bytes / UNIT).unwrap_or(u64::MAX))
            .weigher(|_, entry: &Arc<Entry<A>>| entry.get().map_or(1, |record| units(&record)))
            .eviction_policy(EvictionPolicy::lru());
        Self(cache.build())
    }

    pub(crate) fn get(&self, id: A::Id) -> Option<Arc<Versioned<A>>> {
        self.0.get(&id)?.get()
    }

    /// Keeps a record, unless a newer version of it is there.
    pub(crate) fn keep(&self, record: &Arc<Versioned<A>>) {
        let entry = self.0.get_with(record.id, || Arc::new(Entry(RwLock::new(None))));
        let before = {
            let mut kept = entry.0.write().unwrap_or_else(PoisonError::into_inner);
            if kept.as_ref().is_some_and(|kept| kept.version >= record.version) {
                return;
            }
            kept.replace(record.clone())
        };
        if before.is_none_or(|before| units(&before) != units(record)) {
            // the same entry, weighed again
            self.0.insert(record.id, entry);
        }
    }

    pub(crate) fn forget(&self, id: A::Id) {
        self.0.invalidate(&id);
    }
}

impl<A: Aggregate> Entry<A> {
    fn get(&self) -> Option<Arc<Versioned<A>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn units<A: Aggregate>(record: &Versioned<A>) -> u32 {
    u32::try_from(1 + A::size_of(&record.state) / UNIT).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use eventstore::{Position, Version};
    use uuid::Uuid;

    use super::*;
    use crate::audit::tests::{Letter, LetterId};

    #[test]
    fn large_records_take_more_of_the_cache() {
        let cache = Cache::<Letter>::new(1024 * 1024);
        for (length, most) in [(60_000, 17), (10, 1_024)] {
            for n in 0..2_000 {
                let record = Arc::new(Versioned {
                    id: LetterId(Uuid::from_u128(n)),
                    version: Version(1),
                    position: Position(1),
                    occurred_at: chrono::DateTime::UNIX_EPOCH,
                    state: "x".repeat(length),
                });
                cache.keep(&record);
                // not newer: it stays as it is
                cache.keep(&record);
            }
            cache.0.run_pending_tasks();
            let kept = cache.0.iter().filter(|(_, entry)| entry.get().is_some()).count();
            assert!(kept <= most && kept > most / 2 - 1, "{kept} of {length}");
            assert!(cache.0.weighted_size() <= 1_024);
            cache.0.invalidate_all();
        }
    }
}
