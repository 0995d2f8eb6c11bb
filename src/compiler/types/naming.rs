// SPDX-License-Identifier: Apache-2.0
//! The C names that kernel types get: their own, unless that is taken.

use std::collections::{HashMap, HashSet};

use super::defined::Defined;
use crate::kernel::btf::TypeId;

/// What `___kernel` marks: the text has a type of this name. CO-RE ignores what follows `___`.
const FLAVOUR: &str = "___kernel";

/// One of C's two name spaces at file scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// Names of structs, unions and enums.
    Tags,
    /// Typedefs and enumerators.
    Names,
}

/// The compiler's own, which the kernel's type data names as well, as it was on the kernel's machine.
const BUILTIN: &str = "__builtin_va_list";

/// The names given so far.
#[derive(Debug)]
pub(super) struct Naming {
    tags: HashMap<TypeId, String>,
    typedefs: HashMap<TypeId, String>,
    /// The typedef that names an anonymous type.
    pub(super) unnamed: HashMap<TypeId, String>,
    taken_tags: HashSet<String>,
    taken_names: HashSet<String>,
}

impl Default for Naming {
    fn default() -> Naming {
        Naming {
            tags: HashMap::new(),
            typedefs: HashMap::new(),
            unnamed: HashMap::new(),
            taken_tags: HashSet::new(),
            taken_names: HashSet::from([BUILTIN.to_owned()]),
        }
    }
}

impl Naming {
    /// The name of a type. The first one with a name keeps it, the next one becomes `name___2`.
    pub(super) fn name(&mut self, space: Space, id: TypeId, kernel_name: &str, own: &Defined) -> &str {
        let (names, taken, is_own) = match space {
            Space::Tags => (&mut self.tags, &mut self.taken_tags, own.tags.contains_key(kernel_name)),
            Space::Names => (&mut self.typedefs, &mut self.taken_names, own.has_name(kernel_name)),
        };
        names.entry(id).or_insert_with(|| {
            let mut wanted = c_identifier(kernel_name);
            if is_own {
                wanted += FLAVOUR;
            }
            take(taken, &wanted)
        })
    }

    /// Takes a name for an enumerator; `false` when it is taken already.
    pub(super) fn take_enumerator(&mut self, name: &str) -> bool {
        self.taken_names.insert(name.to_owned())
    }
}

fn take(taken: &mut HashSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{wanted}___{number}");
        number += 1;
    }
    name
}

/// The name with what C does not allow replaced (type data of languages other than C has such names).
pub(super) fn c_identifier(name: &str) -> String {
    const RESERVED: [&str; 8] = ["asm", "typeof", "inline", "auto", "register", "restrict", "signed", "default"];
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut fixed: String = name.chars().map(|c| if fine(c) { c } else { '_' }).collect();
    if fixed.starts_with(|c: char| c.is_ascii_digit()) {
        fixed.insert(0, '_');
    }
    if RESERVED.contains(&name) {
        fixed.push('_');
    }
    fixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_gets_a_suffix() {
        let own = Defined { tags: HashMap::from([("rq".to_owned(), "struct")]), ..Defined::default() };
        let mut naming = Naming::default();
        assert_eq!(naming.name(Space::Tags, TypeId(1), "path", &own), "path");
        assert_eq!(naming.name(Space::Tags, TypeId(2), "path", &own), "path___2");
        assert_eq!(naming.name(Space::Tags, TypeId(1), "path", &own), "path");
        assert_eq!(naming.name(Space::Names, TypeId(1), "path", &own), "path");
        assert_eq!(naming.name(Space::Tags, TypeId(3), "rq", &own), "rq___kernel");
    }

    #[test]
    fn names_of_other_languages_become_identifiers() {
        assert_eq!(c_identifier("Option<u8>"), "Option_u8_");
        assert_eq!(c_identifier("0"), "_0");
        assert_eq!(c_identifier("asm"), "asm_");
    }
}
