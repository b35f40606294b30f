//! What a writer remembers of its tables: bounded, the least used goes.

use std::collections::{HashMap, HashSet};

use eventstore::{StreamId, Version};
use uuid::Uuid;

use crate::projection::Fact;

/// Two halves: what is used moves into the young one; when that is full, the old one is let go.
#[derive(Debug)]
pub(crate) struct Memory<T> {
    young: HashMap<StreamId, T>,
    old: HashMap<StreamId, T>,
    half: usize,
}

impl<T> Memory<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half: capacity.div_ceil(2) }
    }

    fn has(&self, stream: StreamId) -> bool {
        self.young.contains_key(&stream) || self.old.contains_key(&stream)
    }

    /// The tickets of these events that are not remembered, each once; those that are opened among them need not be.
    pub(crate) fn missing(&self, facts: &[Fact]) -> Vec<Uuid> {
        let (mut seen, mut missing) = (HashSet::new(), Vec::new());
        for fact in facts {
            if seen.insert(fact.stream) && fact.version > Version(1) && !self.has(fact.stream) {
                missing.push(fact.stream.0);
            }
        }
        missing
    }

    /// Takes it out: it is to be put back as it has become.
    pub(crate) fn take(&mut self, stream: StreamId) -> Option<T> {
        self.young.remove(&stream).or_else(|| self.old.remove(&stream))
    }

    pub(crate) fn get(&self, stream: StreamId) -> Option<&T> {
        self.young.get(&stream).or_else(|| self.old.get(&stream))
    }

    pub(crate) fn put(&mut self, stream: StreamId, value: T) {
        self.young.insert(stream, value);
    }

    /// Between two batches: within one, nothing that it needs may go.
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
    fn what_is_used_stays_and_the_rest_goes() {
        let stream = |n| StreamId(Uuid::from_u128(n));
        let mut memory = Memory::new(4);
        for n in 0..3 {
            memory.put(stream(n), n);
        }
        memory.shrink();
        let used = memory.take(stream(1)).unwrap();
        memory.put(stream(1), used);
        for n in 3..5 {
            memory.put(stream(n), n);
        }
        memory.shrink();
        assert_eq!((memory.get(stream(1)), memory.get(stream(0)).is_some()), (Some(&1), false));
    }
}
