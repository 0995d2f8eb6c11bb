// SPDX-License-Identifier: Apache-2.0
//! A map of a bounded size that drops what was not asked for the longest.

use std::collections::HashMap;
use std::hash::Hash;

/// A bounded map.
#[derive(Debug)]
pub(super) struct Lru<K, V> {
    entries: HashMap<K, (u64, V)>,
    limit: usize,
    /// Counts the questions; an entry's is that of the last one that it answered.
    clock: u64,
}

impl<K: Eq + Hash + Clone, V: Clone> Lru<K, V> {
    /// An empty map for at most `limit` entries.
    pub(super) fn new(limit: usize) -> Self {
        Lru { entries: HashMap::new(), limit: limit.max(1), clock: 0 }
    }

    /// The value of a key.
    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        self.clock += 1;
        let (used, value) = self.entries.get_mut(key)?;
        *used = self.clock;
        Some(value.clone())
    }

    /// Sets a value, in place of the one not asked for the longest when there is no room.
    pub(super) fn insert(&mut self, key: K, value: V) {
        self.clock += 1;
        if self.entries.len() >= self.limit && !self.entries.contains_key(&key) {
            let oldest = self.entries.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.entries.remove(&key));
        }
        self.entries.insert(key, (self.clock, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes() {
        let mut lru = Lru::new(2);
        lru.insert(1, 'a');
        lru.insert(2, 'b');
        assert_eq!(lru.get(&1), Some('a'));
        lru.insert(3, 'c');
        assert_eq!((lru.get(&1), lru.get(&2), lru.get(&3)), (Some('a'), None, Some('c')));
        lru.insert(3, 'd');
        assert_eq!((lru.get(&1), lru.get(&3)), (Some('a'), Some('d')));
    }
}
