// SPDX-License-Identifier: Apache-2.0
//! A hash index from names to type ids, built for one class of types when the first name of that class is asked for.

use xxhash_rust::xxh3::xxh3_64;

/// What is looked up together: one index each, so that asking for a struct does not index 50,000 functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Everything that has a name in C's type namespaces.
    Types,
    Functions,
    /// Variables and data sections.
    Variables,
    /// The values of enums; the id is the enum's.
    Enumerators,
}

impl Class {
    pub(super) const COUNT: usize = 4;
}

const EMPTY: u32 = 0;

/// Open addressing with the hash kept beside the id. Equal names keep the order in which they came.
#[derive(Debug, Default)]
pub(super) struct NameIndex {
    slots: Box<[(u32, u32)]>,
}

fn hash(name: &[u8]) -> u32 {
    (xxh3_64(name) >> 32) as u32
}

impl NameIndex {
    /// Indexes `(name, id)` pairs; ids are never 0.
    pub(super) fn new<'a>(names: impl Iterator<Item = (&'a [u8], u32)>) -> NameIndex {
        let mut hashed = Vec::with_capacity(1 << 14);
        names.for_each(|(name, id)| hashed.push((hash(name), id)));
        if hashed.is_empty() {
            return NameIndex::default();
        }
        let mut slots = vec![(0, EMPTY); (hashed.len() * 2).next_power_of_two()].into_boxed_slice();
        let mask = slots.len() - 1;
        for entry in hashed {
            let mut at = entry.0 as usize & mask;
            while slots[at].1 != EMPTY {
                at = (at + 1) & mask;
            }
            slots[at] = entry;
        }
        NameIndex { slots }
    }

    /// The ids whose name may be `name` (same hash), in the order they came.
    pub(super) fn candidates(&self, name: &str) -> impl Iterator<Item = u32> + '_ {
        let wanted = hash(name.as_bytes());
        let mask = self.slots.len().wrapping_sub(1);
        (0..self.slots.len())
            .map(move |step| self.slots[(wanted as usize).wrapping_add(step) & mask])
            .take_while(|(_, id)| *id != EMPTY)
            .filter(move |(hash, _)| *hash == wanted)
            .map(|(_, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_all_of_one_name_in_order() {
        let names: Vec<String> = (0..500).map(|n| format!("name_{}", n % 100)).collect();
        let index = NameIndex::new(names.iter().zip(1..).map(|(name, id)| (name.as_bytes(), id)));
        let found: Vec<u32> = index.candidates("name_7").collect();
        assert_eq!(found, [8, 108, 208, 308, 408]);
        assert_eq!(index.candidates("nobody").count(), 0);
        assert_eq!(NameIndex::default().candidates("x").count(), 0);
    }
}
