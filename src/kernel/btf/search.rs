// SPDX-License-Identifier: Apache-2.0
//! Types, functions and enumerators by name.

use super::index::kind_of;
use super::names::{Class, NameIndex};
use super::reader::{Btf, Head};
use super::views::{Enumerator, Func, Kind, Type, TypeId};

fn class_of(kind: Kind) -> Class {
    match kind {
        Kind::Func => Class::Functions,
        Kind::Var | Kind::Datasec => Class::Variables,
        _ => Class::Types,
    }
}

impl Btf {
    /// The own types with a name of this class.
    fn names_of(&self, class: Class) -> impl Iterator<Item = (&[u8], u32)> {
        self.own_heads().filter_map(move |(id, head)| {
            let kind = Kind::from_number(kind_of(head.info));
            // Kinds whose name is no type's name stay out.
            let named = head.name_offset != 0 && !matches!(kind, Kind::DeclTag | Kind::TypeTag);
            (named && class_of(kind) == class).then(|| (self.name_bytes(head.name_offset), id.0))
        })
    }

    fn enumerator_names(&self) -> impl Iterator<Item = (&[u8], u32)> {
        let is_enum = |head: &Head| Kind::from_number(kind_of(head.info)) == Kind::Enum;
        let enums = self.own_heads().filter(move |(_, head)| is_enum(head));
        enums.flat_map(move |(id, _)| self.enumerator_offsets(id).map(move |offset| (self.name_bytes(offset), id.0)))
    }

    fn index(&self, class: Class) -> &NameIndex {
        self.indexes[class as usize].get_or_init(|| match class {
            Class::Enumerators => NameIndex::new(self.enumerator_names()),
            _ => NameIndex::new(self.names_of(class)),
        })
    }

    /// Makes the index of types by name, which is otherwise made when the first is asked for.
    pub fn make_type_names(&self) {
        if let Some(base) = &self.base {
            base.make_type_names();
        }
        self.index(Class::Types);
    }

    /// Makes everything that is otherwise made when it is first asked for: a child that is forked meanwhile would find it
    /// half made, and one that is forked later need not make it.
    pub fn make_indexes(&self) {
        for class in [Class::Types, Class::Functions, Class::Variables, Class::Enumerators] {
            self.index(class);
        }
        self.make_aligns();
    }

    /// All types of a kind with this name, the base's first.
    pub fn find_each(&self, kind: Kind, name: &str) -> impl Iterator<Item = TypeId> {
        let base: Vec<TypeId> =
            self.base.iter().flat_map(|base| base.find_each(kind, name).collect::<Vec<_>>()).collect();
        let own = self.index(class_of(kind)).candidates(name).map(TypeId);
        base.into_iter().chain(own.filter(move |id| self.kind_of(*id) == kind && self.name_of(*id) == name))
    }

    /// The first type of a kind with this name, the base's before a split's own.
    pub fn find(&self, kind: Kind, name: &str) -> Option<TypeId> {
        self.find_each(kind, name).next()
    }

    /// The names of all types of a kind, in id order; some come twice.
    pub fn find_all_names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.type_ids().filter_map(move |id| {
            let record = self.record(id)?;
            (record.kind() == kind && record.name_offset != 0).then(|| self.name_at(record.name_offset))
        })
    }

    /// As [`find_all_names`](Btf::find_all_names), without those of the base.
    pub fn own_names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.own_type_ids().filter_map(move |id| {
            let record = self.record(id)?;
            (record.kind() == kind && record.name_offset != 0).then(|| self.name_at(record.name_offset))
        })
    }

    /// A function by name.
    pub fn func_by_name(&self, name: &str) -> Option<Func<'_>> {
        match self.type_by_id(self.find(Kind::Func, name)?) {
            Type::Func(func) => Some(func),
            _ => None,
        }
    }

    /// A function that is described here and not in the base: what a kernel module has under this name, though the kernel
    /// may have a function of the name, too.
    pub fn own_func(&self, name: &str) -> Option<TypeId> {
        self.find_each(Kind::Func, name).find(|&id| self.base().is_none() || !self.is_base(id))
    }

    /// The enum that has this enumerator, and its value.
    pub fn enumerator(&self, name: &str) -> Option<(TypeId, i64)> {
        let in_base = self.base.as_ref().and_then(|base| base.enumerator(name));
        in_base.or_else(|| {
            let mut ids = self.index(Class::Enumerators).candidates(name).map(TypeId);
            ids.find_map(|id| Some((id, self.enumerator_in(id, name)?.value)))
        })
    }

    fn enumerator_in(&self, id: TypeId, name: &str) -> Option<Enumerator<'_>> {
        match self.type_by_id(id) {
            Type::Enum(e) => e.enumerators().find(|value| value.name == name),
            _ => None,
        }
    }

    /// Whether the enum of this name has this enumerator (`bpf_map_type`, `BPF_MAP_TYPE_RINGBUF`).
    pub fn enum_has_value(&self, enum_name: &str, enumerator: &str) -> bool {
        self.find_each(Kind::Enum, enum_name).any(|id| self.enumerator_in(id, enumerator).is_some())
    }

    /// Whether a struct or union has this member, those inside anonymous members included.
    pub fn struct_has_field(&self, name: &str, field: &str) -> bool {
        let structs = self.find_each(Kind::Struct, name).chain(self.find_each(Kind::Union, name));
        structs.into_iter().any(|id| self.field(id, field).is_some())
    }
}
