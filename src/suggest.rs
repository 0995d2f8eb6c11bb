// SPDX-License-Identifier: Apache-2.0
//! Nearest names, for every "unknown X" message: functions, tracepoints, struct members, options.
//!
//! Beside `error` at the floor of the crate: any room may use it. It looks through hundreds of thousands of names in a
//! few milliseconds, because a name is compared letter by letter only after its length and its set of letters say that
//! it can be close enough.
//!
//! ```
//! use bpflua::suggest::{nearest, similar_line};
//! let known = ["fn_name", "event", "event_re", "event_off"];
//! assert_eq!(nearest("fn_nmae", known), ["fn_name"]);
//! assert_eq!(nearest("even_re", known), ["event_re"]);
//! assert_eq!(similar_line(&nearest("evnt", known)).as_deref(), Some("similar: event"));
//! assert_eq!(similar_line(&nearest("colour", known)), None);
//! ```

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How many names a message lists at most.
pub const LIMIT: usize = 3;

/// The known names closest to `wanted`, the closest first; at most [`LIMIT`], none when nothing is close.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    nearest_limited(wanted, known, LIMIT)
}

/// As [`nearest`], with a limit of the caller's.
pub fn nearest_limited<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>, limit: usize) -> Vec<&'a str> {
    let target = Target::new(wanted);
    // A heap of the best so far, the worst on top.
    let mut best: BinaryHeap<Ranked<'a>> = BinaryHeap::new();
    for name in known {
        let Some(distance) = target.distance(name) else { continue };
        let ranked = Ranked { distance, unlike: Reverse(common_prefix(wanted, name)), name };
        if best.iter().any(|seen| seen.name == name) {
            continue;
        }
        best.push(ranked);
        if best.len() > limit {
            best.pop();
        }
    }
    best.into_sorted_vec().into_iter().map(|ranked| ranked.name).collect()
}

/// `similar: a, b, c` for a hint; `None` when there is nothing to list.
pub fn similar_line<S: AsRef<str>>(names: &[S]) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    Some(format!("similar: {}", names.join(", ")))
}

/// A candidate in the order in which candidates are shown: distance, then how little of the beginning agrees, then name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Ranked<'a> {
    distance: usize,
    unlike: Reverse<usize>,
    name: &'a str,
}

/// The name that was asked for, with what makes comparing it to many names cheap.
struct Target<'a> {
    name: &'a str,
    lower: String,
    letters: u64,
    bound: usize,
}

impl<'a> Target<'a> {
    fn new(name: &'a str) -> Self {
        let lower = name.to_ascii_lowercase();
        // One slip in a short name, up to four in a long one: farther names only puzzle the reader.
        let bound = (name.len() / 3).clamp(1, 4);
        Target { name, letters: letter_set(&lower), lower, bound }
    }

    /// The distance to `other`, if it is close enough to be worth a mention.
    fn distance(&self, other: &str) -> Option<usize> {
        if other.is_empty() || self.name.is_empty() {
            return None;
        }
        if self.extends(other) {
            return Some(other.len().abs_diff(self.name.len()).min(self.bound));
        }
        if other.len().abs_diff(self.name.len()) > self.bound {
            return None;
        }
        // Each edit changes at most two members of the set: one letter goes, one comes.
        let differing = (letter_set_lower(other) ^ self.letters).count_ones() as usize;
        if differing > 2 * self.bound {
            return None;
        }
        let distance = strsim::osa_distance(&self.lower, &other.to_ascii_lowercase());
        (distance <= self.bound).then_some(distance)
    }

    /// Whether one name is the other plus a little at the end: `vfs_rea` and `vfs_readv`, `even` and `event_re`.
    fn extends(&self, other: &str) -> bool {
        let (short, long) = if other.len() < self.name.len() { (other, self.name) } else { (self.name, other) };
        short.len() >= 4 && long.len() - short.len() <= 4 && long != short && long.starts_with(short)
    }
}

/// Which letters occur, 64 classes.
fn letter_set(name: &str) -> u64 {
    name.bytes().fold(0, |set, byte| set | 1 << (byte & 63))
}

fn letter_set_lower(name: &str) -> u64 {
    name.bytes().fold(0, |set, byte| set | 1 << (byte.to_ascii_lowercase() & 63))
}

fn common_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_of_letters_is_one_slip() {
        let known = ["vfs_write", "vfs_read", "vfs_readv", "vfs_statx"];
        assert_eq!(nearest("vfs_raed", known), ["vfs_read", "vfs_readv"]);
    }

    #[test]
    fn far_names_are_not_offered() {
        assert!(nearest("frobnicate", ["vfs_read", "do_nanosleep"]).is_empty());
        assert!(nearest("", ["vfs_read"]).is_empty());
        assert!(nearest("x", std::iter::empty()).is_empty());
    }

    #[test]
    fn case_does_not_count() {
        assert_eq!(nearest("PID", ["pid", "tid"]), ["pid", "tid"]);
    }

    #[test]
    fn no_more_than_the_limit_and_no_name_twice() {
        let known = ["aaaa1", "aaaa2", "aaaa2", "aaaa3", "aaaa4", "aaaa5"];
        assert_eq!(nearest("aaaa0", known), ["aaaa1", "aaaa2", "aaaa3"]);
        assert_eq!(nearest_limited("aaaa0", known, 1), ["aaaa1"]);
        assert!(nearest_limited("aaaa0", known, 0).is_empty());
    }

    #[test]
    fn the_letter_filter_never_drops_a_near_name() {
        // Every single edit of a name must stay reachable.
        let name = "tcp_v4_connect";
        for at in 0..name.len() {
            let mut cut = name.to_owned();
            cut.remove(at);
            assert_eq!(nearest(&cut, [name]), [name], "without letter {at}");
            let mut changed = name.to_owned();
            changed.replace_range(at..=at, "Q");
            assert_eq!(nearest(&changed, [name]), [name], "changed letter {at}");
        }
    }

    #[test]
    fn names_that_are_not_ascii_do_not_panic() {
        assert_eq!(nearest("größe", ["groesse", "größen"]), ["größen"]);
    }

    #[test]
    fn the_line_lists_names() {
        assert_eq!(similar_line(&["a", "b"]).unwrap(), "similar: a, b");
        assert_eq!(similar_line::<&str>(&[]), None);
    }
}
