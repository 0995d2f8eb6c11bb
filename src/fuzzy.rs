// SPDX-License-Identifier: Apache-2.0
//! Names that go on from what was typed, or that hold it: for completion.
//!
//! Beside `error` at the floor of the crate: any room may use it. A name matches when the typed letters are in it, in their
//! order; capitals count only where capitals were typed.
//!
//! ```
//! use bpflua::fuzzy::best;
//! let known = ["tcp_v4_connect", "vfs_read", "vfs_readv", "vfs_readlink", "do_vfs_read"];
//! assert_eq!(best("vfs_rea", known, 9), ["vfs_read", "vfs_readv", "vfs_readlink"]);
//! assert_eq!(best("read", known, 9), ["vfs_read", "vfs_readv", "vfs_readlink", "do_vfs_read"]);
//! assert_eq!(best("tcpcon", known, 9), ["tcp_v4_connect"]);
//! ```

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// How a name is like what was typed; the least comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// 0 it begins so, 1 a word of it does, 2 it has it in it, 3 it has its letters.
    tier: u8,
    /// Letters between the first and the last that match.
    spread: usize,
    length: usize,
}

impl Rank {
    /// Names of one group are shown together; those of the next only when it has none.
    fn group(self) -> u8 {
        if self.tier == 2 { 1 } else { self.tier }
    }
}

/// The names that match, the best first, each once, at most `limit`. Where some begin with what was typed, the others are left
/// out: so a beginning that they have in common can be filled in; and where some have it in them, those that only have its
/// letters. Everything matches what is empty, in its own order.
pub fn best<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>, limit: usize) -> Vec<&'a str> {
    if typed.is_empty() {
        return known.into_iter().take(limit).collect();
    }
    let found = best_of(typed, known.into_iter().map(|name| (name, ())), limit);
    found.into_iter().map(|(name, ())| name).collect()
}

/// As [`best`], for names that come in no order, each with what it is the name of: a list of a hundred thousand takes longer
/// to sort than to search. Of several with one name it gives the first; for what is empty, those first in the alphabet.
pub fn best_of<'a, T>(typed: &str, known: impl IntoIterator<Item = (&'a str, T)>, limit: usize) -> Vec<(&'a str, T)> {
    let exact = typed.bytes().any(|byte| byte.is_ascii_uppercase());
    // A heap of the best so far, the worst on top.
    let mut best: BinaryHeap<Found<'a, T>> = BinaryHeap::new();
    let mut best_group = u8::MAX;
    for (name, item) in known {
        let Some(rank) = rank(typed.as_bytes(), name.as_bytes(), exact, best_group) else { continue };
        best_group = best_group.min(rank.group());
        let found = Found { rank, name, item };
        if best.len() == limit && best.peek().is_none_or(|worst| *worst <= found)
            || best.iter().any(|one| *one == found)
        {
            continue;
        }
        best.push(found);
        if best.len() > limit {
            best.pop();
        }
    }
    let sorted = best.into_sorted_vec().into_iter();
    sorted.take_while(|found| found.rank.group() == best_group).map(|found| (found.name, found.item)).collect()
}

/// A name that matches, in the order of being shown.
struct Found<'a, T> {
    rank: Rank,
    name: &'a str,
    item: T,
}

impl<T> Ord for Found<'_, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.rank, self.name).cmp(&(other.rank, other.name))
    }
}

impl<T> PartialOrd for Found<'_, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Found<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Found<'_, T> {}

fn same(typed: u8, letter: u8, exact: bool) -> bool {
    typed == letter || !exact && typed == letter.to_ascii_lowercase()
}

/// The rank of a name; none when it does not match, or only in a group behind the best one that is known.
fn rank(typed: &[u8], name: &[u8], exact: bool, best_group: u8) -> Option<Rank> {
    let Some(&typed_first) = typed.first() else {
        return Some(Rank { tier: 0, spread: 0, length: 0 });
    };
    let at = |start: usize| {
        name[start..].len() >= typed.len() && typed.iter().zip(&name[start..]).all(|(t, n)| same(*t, *n, exact))
    };
    let of = |tier, spread| Some(Rank { tier, spread, length: name.len() });
    if at(0) {
        return of(0, 0);
    }
    if best_group == 0 {
        return None;
    }
    let (first, other) = (typed_first, if exact { typed_first } else { typed_first.to_ascii_uppercase() });
    let begins_word = |start: &usize| !name[*start - 1].is_ascii_alphanumeric();
    let starts = memchr::memchr2_iter(first, other, name).skip_while(|start| *start == 0);
    let mut inside = starts.filter(|start| at(*start));
    match inside.next() {
        Some(first) if begins_word(&first) || inside.any(|start| begins_word(&start)) => return of(1, first),
        Some(first) => return of(2, first),
        None if best_group == 1 => return None,
        None => {}
    }
    // One letter in the middle of a name says nothing.
    if typed.len() < 2 {
        return None;
    }
    let mut wanted = typed.iter();
    let (mut next, mut first, mut last) = (wanted.next(), None, 0);
    for (place, letter) in name.iter().enumerate() {
        if next.is_some_and(|typed| same(*typed, *letter, exact)) {
            first.get_or_insert(place);
            last = place;
            next = wanted.next();
        }
    }
    if next.is_some() {
        return None;
    }
    // Letters strewn all over a long name were not meant.
    let spread = last - first.unwrap_or(0);
    (spread <= typed.len() * 4 + 4).then_some(Rank { tier: 3, spread, length: name.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_come_before_words_and_words_before_letters() {
        let known = ["map_items", "items", "atoms_i_tried", "get_items", "xitems"];
        assert_eq!(best("tems", known, 9), ["items", "xitems", "get_items", "map_items"]);
        assert_eq!(best("items", known, 9), ["items"]);
        assert_eq!(best("mitems", known, 2), ["map_items"]);
        assert_eq!(best("", known, 2), ["map_items", "items"]);
    }

    #[test]
    fn capitals_count_when_they_are_typed() {
        assert_eq!(best("pt", ["PT_REGS_RC", "ptr"], 9), ["ptr", "PT_REGS_RC"]);
        assert_eq!(best("regs", ["PT_REGS_RC", "registers"], 9), ["PT_REGS_RC"]);
        assert_eq!(best("PT", ["PT_REGS_RC", "ptr"], 9), ["PT_REGS_RC"]);
    }

    #[test]
    fn letters_too_far_apart_do_not_match() {
        assert!(best("ab", ["a_very_long_name_that_ends_in_b"], 9).is_empty());
        assert!(best("x", ["axb"], 9) == ["axb"] && best("longer", ["long"], 9).is_empty());
        assert!(best("é", ["è"], 9).is_empty());
    }

    #[test]
    fn names_in_no_order_are_found_once_each_with_what_they_are_of() {
        let known = [("vfs_write", 1), ("vfs_read", 2), ("do_read", 3), ("vfs_read", 4), ("abc", 5)];
        assert_eq!(best_of("read", known, 9), [("do_read", 3), ("vfs_read", 2)]);
        assert_eq!(best_of("vfs", known, 1), [("vfs_read", 2)]);
        assert_eq!(best_of("", known, 3), [("abc", 5), ("do_read", 3), ("vfs_read", 2)]);
        assert!(best_of("", known, 0).is_empty() && best_of("vfs", known, 0).is_empty());
    }

    #[test]
    fn one_group_is_shown_wherever_its_names_stand() {
        let known = ["r_e_a_d", "do_read", "thread", "readv", "Read"];
        assert_eq!(best("read", known, 9), ["Read", "readv"]);
        assert_eq!(best("read", known[..3].iter().copied(), 9), ["do_read", "thread"]);
        assert_eq!(best("read", known[..1].iter().copied(), 9), ["r_e_a_d"]);
        assert_eq!(best("read", ["bread", "readable", "r_e_a_d"], 1), ["readable"]);
    }
}
