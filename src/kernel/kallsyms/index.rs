// SPDX-License-Identifier: Apache-2.0
//! Finding a name among hundreds of thousands without keeping a string per name: a hash table of symbol numbers with
//! open addressing, four bytes a slot.

use xxhash_rust::xxh3::xxh3_64;

const EMPTY: u32 = u32::MAX;

/// Symbol numbers by name. The names stay with the caller, who says what each number is called.
pub(super) struct NameIndex {
    slots: Box<[u32]>,
}

impl NameIndex {
    /// Indexes symbols `0..count`. Symbols of one name are found in their order.
    pub(super) fn build<'a>(count: usize, name_of: impl Fn(usize) -> &'a str) -> Self {
        let slots = (count * 2).next_power_of_two().max(16);
        let mut index = NameIndex { slots: vec![EMPTY; slots].into_boxed_slice() };
        for number in 0..count {
            let mut at = index.start(name_of(number));
            while index.slots[at] != EMPTY {
                at = (at + 1) & (slots - 1);
            }
            index.slots[at] = number as u32;
        }
        index
    }

    /// The numbers that may bear the name: those that do and some that do not.
    pub(super) fn candidates(&self, name: &str) -> impl Iterator<Item = usize> {
        let mask = self.slots.len() - 1;
        let start = self.start(name);
        // At least half of the slots are empty, so the walk ends; the bound is for the reader.
        (0..self.slots.len())
            .map(move |step| self.slots[(start + step) & mask])
            .take_while(|&number| number != EMPTY)
            .map(|number| number as usize)
    }

    fn start(&self, name: &str) -> usize {
        xxh3_64(name.as_bytes()) as usize & (self.slots.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_all_of_a_name_in_order() {
        let names = ["a", "b", "a", "c", "a"];
        let index = NameIndex::build(names.len(), |number| names[number]);
        let found: Vec<usize> = index.candidates("a").filter(|&number| names[number] == "a").collect();
        assert_eq!(found, [0, 2, 4]);
        assert_eq!(index.candidates("zz").filter(|&number| names[number] == "zz").count(), 0);
    }

    #[test]
    fn an_empty_index_finds_nothing() {
        assert_eq!(NameIndex::build(0, |_| "").candidates("a").count(), 0);
    }
}
