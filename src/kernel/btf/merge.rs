// SPDX-License-Identifier: Apache-2.0
//! Type data of several kernel modules in one: the numbers of types and the places of names are counted on.

use std::sync::Arc;

use super::index::{RECORD_BYTES, kind_of, u32_at, vlen_of};
use super::reader::Btf;
use super::storage::Storage;

/// Magic number, version and flags.
const START: u32 = 0x0001_eb9f;
const HEADER_BYTES: u32 = 24;

/// How far numbers are counted on that are not the base's.
#[derive(Clone, Copy)]
struct Shift {
    first_id: u32,
    ids: u32,
    first_string: u32,
    strings: u32,
}

impl Btf {
    /// The same types on top of `below`, which is on the same base.
    pub(super) fn stacked_on(&self, below: Arc<Btf>) -> Result<Btf, String> {
        let shift = Shift {
            first_id: self.first_id,
            ids: below.type_count() - self.first_id,
            first_string: self.first_string(),
            strings: below.string_end() - self.first_string(),
        };
        let mut types = self.type_bytes().to_vec();
        for at in self.record_offsets() {
            shift.record(&mut types, *at as usize);
        }
        Btf::from_storage(Storage::Owned(whole(&types, self.string_bytes())), Some(below))
    }

    /// All types down to the base in one, as a file has them.
    pub fn flat(&self) -> Vec<u8> {
        let (types, strings) = self.flat_sections();
        whole(&types, &strings)
    }

    fn flat_sections(&self) -> (Vec<u8>, Vec<u8>) {
        let (mut types, mut strings) = self.base().map(|base| base.flat_sections()).unwrap_or_default();
        types.extend(self.type_bytes());
        strings.extend(self.string_bytes());
        (types, strings)
    }
}

fn whole(types: &[u8], strings: &[u8]) -> Vec<u8> {
    let (type_len, string_len) = (types.len() as u32, strings.len() as u32);
    let header = [START, HEADER_BYTES, 0, type_len, type_len, string_len];
    let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_ne_bytes()).collect();
    bytes.extend(types);
    bytes.extend(strings);
    bytes
}

impl Shift {
    /// Counts on the numbers of one record.
    fn record(self, types: &mut [u8], at: usize) {
        let info = u32_at(types, at + 4);
        let rest = at + RECORD_BYTES;
        self.name(types, at);
        // Index = BTF_KIND_*; see the format's documentation, `Documentation/bpf/btf.rst`.
        match kind_of(info) {
            // Pointers, typedefs, qualifiers, functions, variables, tags.
            2 | 8 | 9 | 10 | 11 | 12 | 14 | 17 | 18 => self.id(types, at + 8),
            3 => {
                self.id(types, rest);
                self.id(types, rest + 4);
            }
            // Members of structs and unions.
            4 | 5 => self.each(types, rest, vlen_of(info), 12, true, Some(4)),
            6 => self.each(types, rest, vlen_of(info), 8, true, None),
            // Parameters.
            13 => {
                self.id(types, at + 8);
                self.each(types, rest, vlen_of(info), 8, true, Some(4));
            }
            // Variables of a section.
            15 => self.each(types, rest, vlen_of(info), 12, false, Some(0)),
            19 => self.each(types, rest, vlen_of(info), 12, true, None),
            _ => {}
        }
    }

    fn each(self, types: &mut [u8], start: usize, count: usize, size: usize, named: bool, id: Option<usize>) {
        for at in (0..count).map(|index| start + index * size) {
            if named {
                self.name(types, at);
            }
            if let Some(offset) = id {
                self.id(types, at + offset);
            }
        }
    }

    fn name(self, types: &mut [u8], at: usize) {
        add(types, at, self.first_string, self.strings);
    }

    fn id(self, types: &mut [u8], at: usize) {
        add(types, at, self.first_id, self.ids);
    }
}

/// Adds `by` to a number that is `from` or more.
fn add(bytes: &mut [u8], at: usize, from: u32, by: u32) {
    let number = u32_at(bytes, at);
    if let Some(place) = bytes.get_mut(at..at + 4).filter(|_| number >= from) {
        place.copy_from_slice(&number.wrapping_add(by).to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::layouts;
    use super::super::views::{Kind, Type, TypeId};
    use super::*;

    /// A kernel module's type data: `struct NAME { struct plain *MEMBER; }` and a typedef `NAME_t` of it.
    fn module(base: &Arc<Btf>, name: &str, member: &str) -> Btf {
        let (first, strings) = (base.type_count(), base.string_end());
        let plain = base.find(Kind::Struct, "plain").unwrap().0;
        let text = format!("{name}\0{member}\0{name}_t\0");
        let member_at = strings + name.len() as u32 + 1;
        let typedef_at = member_at + member.len() as u32 + 1;
        let (pointer, typedef) = ([0, 2 << 24, plain], [typedef_at, 8 << 24, first + 1]);
        let record = [strings, (4 << 24) | 1, 8, member_at, first, 0];
        let words = [&pointer[..], &record, &typedef].concat();
        let types: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        Btf::with_base(Arc::clone(base), whole(&types, text.as_bytes())).unwrap()
    }

    fn member_of(btf: &Btf, name: &str) -> (String, TypeId) {
        let Type::Struct(record) = btf.type_by_id(btf.find(Kind::Struct, name).unwrap()) else { panic!("{name}") };
        let member = record.members().next().unwrap();
        let Type::Ptr(to) = btf.type_by_id(member.type_id) else { panic!("{name}.{}", member.name) };
        (member.name.to_owned(), to)
    }

    #[test]
    fn modules_beside_each_other_keep_their_names_and_types() {
        let base = Arc::new(layouts());
        let plain = base.find(Kind::Struct, "plain").unwrap();
        let (first, second) = (module(&base, "one", "of_one"), module(&base, "other", "of_other"));
        let both = second.stacked_on(Arc::new(first)).unwrap();
        let flat = Btf::from_bytes(both.flat()).unwrap();
        for btf in [&both, &flat] {
            assert_eq!(member_of(btf, "one"), ("of_one".to_owned(), plain));
            assert_eq!(member_of(btf, "other"), ("of_other".to_owned(), plain));
            let typedef = btf.find(Kind::Typedef, "other_t").unwrap();
            assert_eq!(btf.name_of(btf.resolve(typedef)), "other");
            assert_eq!(btf.find(Kind::Struct, "plain"), Some(plain));
        }
        assert_eq!(flat.type_count(), base.type_count() + 6);
    }

    #[test]
    fn what_lies_beyond_the_bytes_is_left_alone() {
        let shift = Shift { first_id: 1, ids: 5, first_string: 1, strings: 5 };
        let mut bytes = vec![1, 0, 0, 0, 1, 0, 0, 4];
        shift.record(&mut bytes, 0);
        shift.record(&mut bytes, 6);
        assert_eq!(bytes.len(), 8);
    }
}
