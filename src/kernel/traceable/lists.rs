// SPDX-License-Identifier: Apache-2.0
//! The kernel's two lists of functions, each a name per line with something around it.

/// The name in a line of `available_filter_functions`: `fuse_open [fuse]`.
pub(super) fn filter_function(line: &str) -> Option<&str> {
    line.split_whitespace().next()
}

/// The name in a line of `kprobes/blacklist`: `0xffffffff81000000-0xffffffff81000010	asm_exc_nmi`.
pub(super) fn blacklisted(line: &str) -> Option<&str> {
    let (range, name) = line.trim_end().split_once(char::is_whitespace)?;
    let name = name.trim();
    (range.starts_with("0x") && !name.is_empty() && name != "(null)").then_some(name)
}

/// A set of symbol numbers.
#[derive(Debug)]
pub(super) struct NumberSet {
    words: Box<[u64]>,
}

impl NumberSet {
    /// An empty set of numbers below `count`.
    pub(super) fn new(count: usize) -> Self {
        NumberSet { words: vec![0; count.div_ceil(64)].into_boxed_slice() }
    }

    pub(super) fn insert(&mut self, number: usize) {
        if let Some(word) = self.words.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    pub(super) fn contains(&self, number: usize) -> bool {
        self.words.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_lists() {
        assert_eq!(filter_function("vfs_read"), Some("vfs_read"));
        assert_eq!(filter_function("fuse_open [fuse]"), Some("fuse_open"));
        assert_eq!(filter_function(""), None);
        assert_eq!(blacklisted("0xffffffff81000000-0xffffffff81000010\tasm_exc_nmi"), Some("asm_exc_nmi"));
        for bad in ["", "asm_exc_nmi", "0x1-0x2", "0x1-0x2\t", "0x1-0x2\t(null)", "x\ty"] {
            assert_eq!(blacklisted(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_beyond_the_set_are_not_in_it() {
        let mut set = NumberSet::new(65);
        set.insert(64);
        set.insert(1000);
        assert!(set.contains(64) && !set.contains(63) && !set.contains(1000));
    }
}
