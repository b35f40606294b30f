//! A bounded cache of the rows that a writer changed last.

use std::collections::{HashMap, HashSet};

use eventstore::{StreamId, Version};
use uuid::Uuid;

use crate::read_model::DecodedEvent;

/// Two halves: an entry that is used moves to the young half; once that is full, the old half is dropped.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    young: HashMap<StreamId, T>,
    old: HashMap<StreamId, T>,
    half: usize,
}

impl<T> Cache<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half: capacity.div_ceil(2) }
    }

    fn has(&self, stream: StreamId) -> bool {
        self.young.contains_key(&stream) || self.old.contains_key(&stream)
    }

    /// The streams of these events that are not cached, each once. A stream that begins with them has no row to load.
    pub(crate) fn missing(&self, events: &[DecodedEvent]) -> Vec<Uuid> {
        let (mut seen, mut missing) = (HashSet::new(), Vec::new());
        for event in events {
            if seen.insert(event.stream) && event.version > Version(1) && !self.has(event.stream) {
                missing.push(event.stream.0);
            }
        }
        missing
    }

    /// Takes an entry out; the caller puts the changed one back.
    pub(crate) fn take(&mut self, stream: StreamId) -> Option<T> {
        self.young.remove(&stream).or_else(|| self.old.remove(&stream))
    }

    pub(crate) fn get(&self, stream: StreamId) -> Option<&T> {
        self.young.get(&stream).or_else(|| self.old.get(&stream))
    }

    pub(crate) fn put(&mut self, stream: StreamId, value: T) {
        self.young.insert(stream, value);
    }

    /// Call it between two batches only: a batch may need every entry it has put in.
    pub(crate) fn shrink(&mut self) {
        if self.young.len() > self.half {
            self.old = std::mem::take(&mut self.young);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrink_keeps_used_entries() {
        let stream = |n| StreamId(Uuid::from_u128(n));
        let mut cache = Cache::new(4);
        for n in 0..3 {
            cache.put(stream(n), n);
        }
        cache.shrink();
        let used = cache.take(stream(1)).unwrap();
        cache.put(stream(1), used);
        for n in 3..5 {
            cache.put(stream(n), n);
        }
        cache.shrink();
        assert_eq!((cache.get(stream(1)), cache.get(stream(0)).is_some()), (Some(&1), false));
    }
}
