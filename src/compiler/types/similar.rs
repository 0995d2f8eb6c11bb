// SPDX-License-Identifier: Apache-2.0
//! Member names near one that does not exist.

use std::collections::HashSet;

use crate::kernel::btf::{Btf, Kind, Type, TypeId};

/// How many names are offered.
const MOST: usize = 4;
/// How alike a name must be (Jaro-Winkler, 1 = the same).
const ENOUGH: f64 = 0.82;
/// Depth of named members that are looked into for a member of exactly this name.
const MAX_DEPTH: u32 = 3;
const MAX_VISITS: u32 = 20_000;

/// Members of a kernel struct or union (or a typedef of one) that a wrong name may have meant, the likeliest first. A
/// member of exactly this name that is further inside is given with the way to it (`d_name.name`).
pub fn members_like(btf: &Btf, type_name: &str, wrong: &str) -> Vec<String> {
    let kinds = [Kind::Struct, Kind::Union, Kind::Typedef];
    let Some(id) = kinds.into_iter().find_map(|kind| btf.find(kind, type_name)) else { return Vec::new() };
    let mut search = Search { btf, wrong, visits: MAX_VISITS, found: Vec::new() };
    search.look(id, "", 0);
    search.found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut seen = HashSet::new();
    search.found.into_iter().map(|(_, name)| name).filter(|name| seen.insert(name.clone())).take(MOST).collect()
}

struct Search<'a> {
    btf: &'a Btf,
    wrong: &'a str,
    visits: u32,
    /// How likely, and the way to the member.
    found: Vec<(f64, String)>,
}

impl Search<'_> {
    fn look(&mut self, id: TypeId, path: &str, depth: u32) {
        let btf = self.btf;
        let (Type::Struct(composite) | Type::Union(composite)) = btf.type_by_id(btf.resolve(id)) else { return };
        for member in composite.members() {
            let Some(visits) = self.visits.checked_sub(1) else { return };
            self.visits = visits;
            if member.name.is_empty() {
                self.look(member.type_id, path, depth);
                continue;
            }
            let likeness = if depth == 0 { likeness(self.wrong, member.name) } else { self.deeper(member.name, depth) };
            if likeness >= ENOUGH {
                // Of twins like `f_path` and `__f_path` the plain one is meant.
                let hidden = if path.starts_with("__") { 0.01 } else { 0.0 };
                self.found.push((likeness - hidden, format!("{path}{}", member.name)));
            }
            if depth < MAX_DEPTH && btf.is_composite(member.type_id) {
                self.look(member.type_id, &format!("{path}{}.", member.name), depth + 1);
            }
        }
    }

    /// Inside other members only the very name counts, the less the deeper it is.
    fn deeper(&self, name: &str, depth: u32) -> f64 {
        if name == self.wrong { 1.0 - 0.04 * f64::from(depth) } else { 0.0 }
    }
}

/// The kernel renames members by underscores (`state`, `__state`) and puts a prefix before most (`i_ino`).
fn likeness(wrong: &str, name: &str) -> f64 {
    let (bare, bare_wrong) = (name.trim_matches('_'), wrong.trim_matches('_'));
    if bare == bare_wrong && !bare.is_empty() {
        1.0
    } else if wrong.len() > 1 && name.strip_suffix(wrong).is_some_and(|prefix| prefix.ends_with('_')) {
        0.95
    } else {
        strsim::jaro_winkler(wrong, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::btf::fixtures::layouts;

    #[test]
    fn offers_near_names_and_deeper_ones() {
        let btf = layouts();
        assert_eq!(members_like(&btf, "node", "nxt"), ["next"]);
        assert_eq!(members_like(&btf, "node", "prev"), ["list.prev"]);
        assert_eq!(members_like(&btf, "node", "counter"), ["box.count.counter"]);
        assert_eq!(members_like(&btf, "anonymous", "hihg"), ["high"]);
        assert_eq!(members_like(&btf, "anonymous", "x"), ["named.x"]);
        assert_eq!(members_like(&btf, "anonymous", "_tail"), ["tail"]);
        assert!(members_like(&btf, "nobody", "x").is_empty());
    }
}
