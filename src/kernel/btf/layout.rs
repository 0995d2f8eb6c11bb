// SPDX-License-Identifier: Apache-2.0
//! Sizes, alignments, fields: what a C compiler would say of a type.

use std::sync::atomic::{AtomicU8, Ordering};

use super::reader::Btf;
use super::views::{Composite, Kind, Type, TypeId};

/// Steps after which a chain of types is taken to be a circle; real ones have fewer than ten.
const MAX_CHAIN: usize = 64;
/// Depth of structs within structs after which data is taken to be damaged; real ones stay below twenty.
const MAX_DEPTH: u32 = 64;
/// Members looked at in one search; the largest kernel structs have a few hundred.
const MAX_VISITS: u32 = 100_000;

/// The types being looked at, innermost first: damaged data may have a struct contain itself.
struct Within<'a> {
    id: TypeId,
    depth: u32,
    outer: Option<&'a Within<'a>>,
}

impl Within<'_> {
    fn is_inside_itself(&self) -> bool {
        std::iter::successors(self.outer, |at| at.outer).any(|outer| outer.id == self.id)
    }
}

/// A field found by name, with its place from the start of the struct that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldRef {
    /// The field's type.
    pub type_id: TypeId,
    /// From the start of the outermost struct.
    pub bit_offset: u32,
    /// Bits of a bit-field; 0 for an ordinary member.
    pub bit_size: u32,
}

/// Where libbpf looks for a bit field: in the unit of its declared type, or the next larger one where it crosses that. The
/// unit's first byte and its size; `None` for what no unit holds (libbpf's `bpf_core_calc_field_relo`).
pub fn bit_field_unit(bit_offset: u64, bits: u64, declared_bytes: u64) -> Option<(u64, u64)> {
    let mut bytes = declared_bytes;
    while bytes.is_power_of_two() && bytes <= 8 {
        let begin = bit_offset / 8 / bytes * bytes;
        if bit_offset + bits <= (begin + bytes) * 8 {
            return Some((begin, bytes));
        }
        bytes *= 2;
    }
    None
}

impl Btf {
    /// The type behind typedefs, `const`, `volatile`, `restrict` and type tags.
    pub fn resolve(&self, id: TypeId) -> TypeId {
        let mut at = id;
        for _ in 0..MAX_CHAIN {
            match self.type_by_id(at) {
                Type::Typedef { to, .. } | Type::TypeTag { to, .. } => at = to,
                Type::Volatile(to) | Type::Const(to) | Type::Restrict(to) => at = to,
                _ => return at,
            }
        }
        TypeId::VOID
    }

    /// `sizeof`; `None` for what has no size (void, functions, forward declarations).
    pub fn size_of(&self, id: TypeId) -> Option<u64> {
        let (mut at, mut factor) = (id, 1_u64);
        for _ in 0..MAX_CHAIN {
            let size_bytes = match self.type_by_id(self.resolve(at)) {
                Type::Array(array) => {
                    factor = factor.checked_mul(array.count.into())?;
                    at = array.element;
                    continue;
                }
                Type::Int(int) => int.size_bytes,
                Type::Ptr(_) => 8,
                Type::Struct(composite) | Type::Union(composite) => composite.size_bytes,
                Type::Enum(e) => e.size_bytes,
                Type::Float { size_bytes, .. } => size_bytes,
                Type::Var(var) => {
                    at = var.type_id;
                    continue;
                }
                Type::Datasec(section) => section.size_bytes,
                _ => return None,
            };
            return factor.checked_mul(size_bytes.into());
        }
        None
    }

    /// The alignment that a C compiler gives the type, judged from its members; 1 for a packed struct (BTF keeps neither
    /// `packed` nor `aligned`: a struct is packed when a member or its size is not aligned).
    pub fn align_of(&self, id: TypeId) -> u32 {
        self.align_at(id, None)
    }

    fn align_at(&self, id: TypeId, within: Option<&Within<'_>>) -> u32 {
        let resolved = self.resolve(id);
        let within = Within { id: resolved, depth: within.map_or(0, |outer| outer.depth + 1), outer: within };
        if within.depth > MAX_DEPTH {
            return 1;
        }
        match self.type_by_id(resolved) {
            Type::Int(int) => scalar_align(int.size_bytes),
            Type::Enum(e) => scalar_align(e.size_bytes),
            Type::Float { size_bytes, .. } => scalar_align(size_bytes),
            Type::Ptr(_) => 8,
            Type::Array(array) => self.align_at(array.element, Some(&within)),
            Type::Var(var) => self.align_at(var.type_id, Some(&within)),
            Type::Struct(composite) | Type::Union(composite) => self.composite_align(composite, &within),
            _ => 1,
        }
    }

    /// The place of each own type's alignment, empty at first.
    pub(super) fn make_aligns(&self) -> &[AtomicU8] {
        self.aligns.get_or_init(|| self.own_type_ids().map(|_| AtomicU8::new(0)).collect())
    }

    fn composite_align(&self, composite: Composite<'_>, within: &Within<'_>) -> u32 {
        let id = composite.id;
        if id.0 < self.first_id {
            return self.base.as_ref().map_or(1, |base| base.composite_align(composite, within));
        }
        if within.is_inside_itself() {
            return 1;
        }
        let aligns = self.make_aligns();
        let Some(slot) = aligns.get((id.0 - self.first_id) as usize) else { return 1 };
        match slot.load(Ordering::Relaxed) {
            0 => {
                let align = self.align_from_members(composite, within);
                slot.store(align as u8, Ordering::Relaxed);
                align
            }
            known => known.into(),
        }
    }

    fn align_from_members(&self, composite: Composite<'_>, within: &Within<'_>) -> u32 {
        let mut largest = 1;
        for member in composite.members() {
            let align = self.align_at(member.type_id, Some(within));
            largest = largest.max(align);
            let misplaced = if member.bit_size == 0 {
                member.bit_offset % (align * 8) != 0
            } else {
                // A bit-field that spans two of its storage units exists only in packed structs.
                let unit = align * 8;
                member.bit_offset / unit != (member.bit_offset + member.bit_size - 1) / unit
            };
            if misplaced {
                return 1;
            }
        }
        if composite.size_bytes.is_multiple_of(largest) { largest } else { 1 }
    }

    /// A member by name, those inside anonymous structs and unions included.
    pub fn field(&self, id: TypeId, name: &str) -> Option<FieldRef> {
        let mut visits = MAX_VISITS;
        self.field_at(id, name, 0, 0, &mut visits)
    }

    fn field_at(&self, id: TypeId, name: &str, start: u32, depth: u32, visits: &mut u32) -> Option<FieldRef> {
        let (Type::Struct(composite) | Type::Union(composite)) = self.type_by_id(self.resolve(id)) else { return None };
        if depth > MAX_DEPTH {
            return None;
        }
        for member in composite.members() {
            *visits = visits.checked_sub(1)?;
            let bit_offset = start.wrapping_add(member.bit_offset);
            if member.name == name && !name.is_empty() {
                return Some(FieldRef { type_id: member.type_id, bit_offset, bit_size: member.bit_size });
            }
            if member.name.is_empty() {
                let inner = self.field_at(member.type_id, name, bit_offset, depth + 1, visits);
                if inner.is_some() {
                    return inner;
                }
            }
        }
        None
    }

    /// Whether the type is a struct or union behind its typedefs.
    pub fn is_composite(&self, id: TypeId) -> bool {
        matches!(self.kind_of(self.resolve(id)), Kind::Struct | Kind::Union)
    }
}

fn scalar_align(size_bytes: u32) -> u32 {
    match size_bytes {
        2 | 4 | 8 | 16 => size_bytes,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::layouts;
    use super::*;

    #[test]
    fn sizes_and_alignments_are_the_compilers() {
        let btf = layouts();
        // BTF does not say `aligned(32)`: `gap` and `tail` are judged by their members.
        let expected = [
            ("plain", 16, 8),
            ("packed", 7, 1),
            ("bits", 8, 8),
            ("bits_zero", 8, 4),
            ("bits_packed", 7, 1),
            ("arrays", 64, 8),
            ("gap", 64, 4),
            ("tail", 64, 8),
            ("numbers", 48, 16),
            ("holds_packed", 12, 4),
        ];
        for (name, size, align) in expected {
            let id = btf.find(Kind::Struct, name).unwrap();
            assert_eq!((btf.size_of(id), btf.align_of(id)), (Some(size), align), "{name}");
        }
    }

    #[test]
    fn fields_are_found_inside_anonymous_members() {
        let btf = layouts();
        let id = btf.find(Kind::Struct, "anonymous").unwrap();
        assert_eq!(btf.field(id, "high").map(|field| field.bit_offset), Some(128));
        assert_eq!(btf.field(id, "x"), None);
        assert!(btf.struct_has_field("anonymous", "named"));
        let bits = btf.find(Kind::Struct, "bits").unwrap();
        assert_eq!(btf.field(bits, "c").map(|field| (field.bit_offset, field.bit_size)), Some((15, 40)));
    }
}
