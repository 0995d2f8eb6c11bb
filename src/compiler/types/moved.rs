// SPDX-License-Identifier: Apache-2.0
//! Where a member went that a record had in another kernel: behind one or two pointers.

use std::collections::HashSet;

use crate::kernel::btf::{Btf, Kind, Type, TypeId};

/// How many ways are offered.
const MOST: usize = 3;
/// Pointers that are followed to a member.
const MAX_STEPS: u32 = 2;
const MAX_VISITS: u32 = 60_000;
/// Shorter words at the end of a name say too little.
const MIN_WORD: usize = 4;

/// Ways from a kernel struct or union to a member that `wrong` may have become (`q->disk` for `rq_disk`): of the same
/// name or of its last word. With `next`, a member that the text then asks of it, only what leads to such a one counts.
pub fn members_elsewhere(btf: &Btf, type_name: &str, wrong: &str, next: Option<&str>) -> Vec<String> {
    let Some(start) = [Kind::Struct, Kind::Union].into_iter().find_map(|kind| btf.find(kind, type_name)) else {
        return Vec::new();
    };
    let mut search = Search { btf, wrong, next, visits: MAX_VISITS, seen: HashSet::from([start]), found: Vec::new() };
    let mut level = vec![(start, String::new())];
    for step in 0..=MAX_STEPS {
        let mut behind = Vec::new();
        for (id, path) in &level {
            search.look(*id, path, step, &mut behind);
        }
        if !search.found.is_empty() {
            break;
        }
        level = behind;
    }
    search.found.sort_by_key(|(exact, path)| (!exact, path.len()));
    search.found.into_iter().map(|(_, path)| path).take(MOST).collect()
}

struct Search<'a> {
    btf: &'a Btf,
    wrong: &'a str,
    next: Option<&'a str>,
    visits: u32,
    /// Records looked into, each once, by the shortest way.
    seen: HashSet<TypeId>,
    /// Whether the name is the same, and the way.
    found: Vec<(bool, String)>,
}

impl Search<'_> {
    /// Looks at the members of a record; `behind` gets the records that its pointers lead to.
    fn look(&mut self, id: TypeId, path: &str, step: u32, behind: &mut Vec<(TypeId, String)>) {
        let btf = self.btf;
        let (Type::Struct(composite) | Type::Union(composite)) = btf.type_by_id(btf.resolve(id)) else { return };
        for member in composite.members() {
            let Some(visits) = self.visits.checked_sub(1) else { return };
            self.visits = visits;
            let way = format!("{path}{}", member.name);
            let target = self.definition(member.type_id);
            if member.name.is_empty() {
                self.look(member.type_id, path, step, behind);
            } else if self.may_be_meant(member.name, step) && self.leads_on(target.unwrap_or(member.type_id)) {
                self.found.push((member.name == self.wrong, way));
            } else if let Some(target) = target {
                if self.seen.insert(target) {
                    behind.push((target, format!("{way}->")));
                }
            } else if btf.is_composite(member.type_id) {
                self.look(member.type_id, &format!("{way}."), step, behind);
            }
        }
    }

    /// The record that a pointer leads to.
    fn definition(&self, id: TypeId) -> Option<TypeId> {
        let btf = self.btf;
        let Type::Ptr(to) = btf.type_by_id(btf.resolve(id)) else { return None };
        let to = btf.resolve(to);
        match btf.type_by_id(to) {
            Type::Struct(_) | Type::Union(_) => Some(to),
            Type::Fwd { name, is_union } => btf.find(if is_union { Kind::Union } else { Kind::Struct }, name),
            _ => None,
        }
    }

    fn may_be_meant(&self, name: &str, step: u32) -> bool {
        let last_word = |name: &str| name.rsplit('_').next().map(str::to_owned).unwrap_or_default();
        let word = last_word(self.wrong);
        let same_word = word.len() >= MIN_WORD && last_word(name) == word;
        // Without a further member as evidence only whole names tell.
        let alike = if self.next.is_some() { same_word } else { name == word && word.len() >= MIN_WORD };
        step > 0 && (name == self.wrong || alike)
    }

    fn leads_on(&self, id: TypeId) -> bool {
        self.next.is_none_or(|next| self.btf.field(id, next).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::btf::fixtures::{kernel_or_skip, layouts};

    #[test]
    fn pointers_are_followed() {
        let btf = layouts();
        assert_eq!(members_elsewhere(&btf, "list", "prev", None), Vec::<String>::new());
        assert!(members_elsewhere(&btf, "nobody", "x", None).is_empty());
    }

    #[test]
    fn the_disk_of_a_request() {
        let Some(btf) = kernel_or_skip() else { return };
        if !btf.struct_has_field("request_queue", "disk") {
            return;
        }
        let ways = members_elsewhere(&btf, "request", "rq_disk", Some("disk_name"));
        assert!(ways.contains(&"q->disk".to_owned()), "{ways:?}");
    }
}
