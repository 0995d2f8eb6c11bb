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
    let mut search = Search { btf, wrong, visits: MAX_VISITS, inside: Vec::new(), near: Vec::new() };
    search.look(id, "", 0);
    search.inside.sort_by_key(|path| path.matches('.').count());
    search.near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near = search.near.into_iter().map(|(_, name)| name);
    let mut seen = HashSet::new();
    search.inside.into_iter().chain(near).filter(|name| seen.insert(name.clone())).take(MOST).collect()
}

struct Search<'a> {
    btf: &'a Btf,
    wrong: &'a str,
    visits: u32,
    inside: Vec<String>,
    near: Vec<(f64, String)>,
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
            if path.is_empty() {
                let likeness = strsim::jaro_winkler(self.wrong, member.name);
                if likeness >= ENOUGH {
                    self.near.push((likeness, member.name.to_owned()));
                }
            } else if member.name == self.wrong {
                self.inside.push(format!("{path}{}", member.name));
            }
            if depth < MAX_DEPTH && btf.is_composite(member.type_id) {
                self.look(member.type_id, &format!("{path}{}.", member.name), depth + 1);
            }
        }
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
        assert!(members_like(&btf, "nobody", "x").is_empty());
    }
}
