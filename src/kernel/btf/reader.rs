// SPDX-License-Identifier: Apache-2.0
//! [`Btf`]: the bytes, the index, and types by number.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::AtomicU8;
use std::sync::{Arc, OnceLock};

use super::index::{RECORD_BYTES, Sections, kind_of, u32_at, until_nul, vlen_of};
use super::names::{Class, NameIndex};
use super::storage::{Later, Storage};
use super::views::{Array, Composite, Datasec, Enum, Func, FuncProto, Int, IntEncoding, Kind, Type, TypeId, Var};
use crate::error::{Error, Result};

/// Type data: the kernel's, a kernel module's or an object's.
#[derive(Debug, Default)]
pub struct Btf {
    /// The bytes, or why they cannot be read; read when first asked for.
    whole: OnceLock<Result<Whole>>,
    /// Where they are read from then.
    pub(super) later: Option<Later>,
    pub(super) base: Option<Arc<Btf>>,
    /// Id of the first own type: 1, or the number of types of the base.
    pub(super) first_id: u32,
    first_string: u32,
    pub(super) indexes: [OnceLock<NameIndex>; Class::COUNT],
    /// Alignment of each own type once computed (see `layout`).
    pub(super) aligns: OnceLock<Vec<AtomicU8>>,
    pub(super) identity: OnceLock<u64>,
    /// Where the build id of the kernel these types belong to can be read; makes the identity cheap.
    pub(super) notes: Option<PathBuf>,
}

/// The bytes, and where everything is in them.
#[derive(Debug)]
struct Whole {
    storage: Storage,
    types: Range<usize>,
    strings: Range<usize>,
    /// Of each own type's record in the type section.
    offsets: Vec<u32>,
}

/// What stands for bytes that cannot be read; [`Btf::check`] tells why.
static NOTHING: Whole = Whole { storage: Storage::Owned(Vec::new()), types: 0..0, strings: 0..0, offsets: Vec::new() };

impl Whole {
    fn new(storage: Storage) -> std::result::Result<Whole, String> {
        let sections = Sections::parse(storage.bytes())?;
        let offsets = sections.index(&storage.bytes()[sections.types.clone()])?;
        Ok(Whole { storage, types: sections.types, strings: sections.strings, offsets })
    }
}

/// What a type's record begins with.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) name_offset: u32,
    pub(super) info: u32,
}

/// The fixed part of a type's record and the bytes that follow it.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) name_offset: u32,
    pub(super) info: u32,
    /// A size or a type id, by kind.
    pub(super) size_or_type: u32,
    pub(super) rest: &'a [u8],
}

impl Record<'_> {
    pub(super) fn kind(&self) -> Kind {
        Kind::from_number(kind_of(self.info))
    }

    fn flag(&self) -> bool {
        self.info >> 31 == 1
    }
}

impl Btf {
    pub(super) fn from_storage(storage: Storage, base: Option<Arc<Btf>>) -> std::result::Result<Btf, String> {
        let whole = OnceLock::from(Ok(Whole::new(storage)?));
        let (first_id, first_string) = match &base {
            None => (1, 0),
            Some(base) => (base.type_count(), base.string_end()),
        };
        Ok(Btf { whole, base, first_id, first_string, ..Btf::default() })
    }

    /// Type data that go on from no other, read when first asked for.
    pub(super) fn from_later(later: Later) -> Btf {
        Btf { later: Some(later), first_id: 1, ..Btf::default() }
    }

    fn whole(&self) -> &Whole {
        self.read().as_ref().unwrap_or(&NOTHING)
    }

    fn read(&self) -> &Result<Whole> {
        self.whole.get_or_init(|| match &self.later {
            Some(later) => later.read().and_then(|storage| Whole::new(storage).map_err(|why| later.damaged(why))),
            None => Err(Error::bug("cannot read type data (BTF)", "there are none")),
        })
    }

    /// Reads the bytes now.
    ///
    /// # Errors
    /// Why they cannot be read, or are no BTF. Without this call such type data have no types.
    pub fn check(&self) -> Result<()> {
        self.read().as_ref().map(drop).map_err(Clone::clone)
    }

    /// All bytes, header and all.
    pub(super) fn bytes(&self) -> &[u8] {
        self.whole().storage.bytes()
    }

    /// Where its own strings begin, those of its base counted.
    pub(super) fn first_string(&self) -> u32 {
        self.first_string
    }

    /// Where those end: a split that goes on here has its first name there.
    pub(super) fn string_end(&self) -> u32 {
        self.first_string + self.whole().strings.len() as u32
    }

    /// Its own type section.
    pub(super) fn type_bytes(&self) -> &[u8] {
        let whole = self.whole();
        &whole.storage.bytes()[whole.types.clone()]
    }

    /// Its own string section.
    pub(super) fn string_bytes(&self) -> &[u8] {
        let whole = self.whole();
        &whole.storage.bytes()[whole.strings.clone()]
    }

    /// Where the record of each own type begins in the type section.
    pub(super) fn record_offsets(&self) -> &[u32] {
        &self.whole().offsets
    }

    /// One more than the highest type id, so that `1..type_count()` are all types, those of the base included.
    pub fn type_count(&self) -> u32 {
        self.first_id + self.whole().offsets.len() as u32
    }

    /// All type ids, `void` left out, those of the base included.
    pub fn type_ids(&self) -> impl Iterator<Item = TypeId> + use<> {
        (1..self.type_count()).map(TypeId)
    }

    /// Ids of the types that are not the base's.
    pub fn own_type_ids(&self) -> impl Iterator<Item = TypeId> + use<> {
        (self.first_id..self.type_count()).map(TypeId)
    }

    /// Whether a type is the base's, or this is no split one.
    pub fn is_base(&self, id: TypeId) -> bool {
        self.base.is_none() || id.0 < self.first_id
    }

    /// The base of a split `Btf`.
    pub fn base(&self) -> Option<&Arc<Btf>> {
        self.base.as_ref()
    }

    /// The bytes of a name, `""` when the offset points nowhere.
    pub(super) fn name_bytes(&self, offset: u32) -> &[u8] {
        if offset < self.first_string {
            return self.base.as_ref().map_or(b"", |base| base.name_bytes(offset));
        }
        let strings = self.string_bytes();
        let tail = strings.get((offset - self.first_string) as usize..).unwrap_or_default();
        until_nul(tail).unwrap_or_default()
    }

    pub(super) fn name_at(&self, offset: u32) -> &str {
        std::str::from_utf8(self.name_bytes(offset)).unwrap_or_default()
    }

    pub(super) fn record(&self, id: TypeId) -> Option<Record<'_>> {
        if id.0 < self.first_id {
            return self.base.as_ref()?.record(id);
        }
        let whole = self.whole();
        let at = *whole.offsets.get((id.0 - self.first_id) as usize)? as usize;
        let record = whole.storage.bytes()[whole.types.clone()].get(at..)?;
        let (fixed, rest) = record.split_at_checked(RECORD_BYTES)?;
        Some(Record { name_offset: u32_at(fixed, 0), info: u32_at(fixed, 4), size_or_type: u32_at(fixed, 8), rest })
    }

    /// The heads of all own types, in id order: what a scan over all of them looks at.
    pub(super) fn own_heads(&self) -> impl Iterator<Item = (TypeId, Head)> {
        let types = self.type_bytes();
        (self.first_id..).map(TypeId).zip(&self.whole().offsets).map(move |(id, at)| {
            let at = *at as usize;
            (id, Head { name_offset: u32_at(types, at), info: u32_at(types, at + 4) })
        })
    }

    /// Where the names of an enum's values are among the strings.
    pub(super) fn enumerator_offsets(&self, id: TypeId) -> impl Iterator<Item = u32> {
        let raw = self.record(id).map_or((&[][..], 1), |record| {
            let stride = enumerator_bytes(record.info);
            (trailing(record, stride), stride)
        });
        raw.0.chunks_exact(raw.1).map(|value| u32_at(value, 0))
    }

    /// What a type is.
    pub fn kind_of(&self, id: TypeId) -> Kind {
        self.record(id).map_or(Kind::Void, |record| record.kind())
    }

    /// The name of a type, `""` for those without one.
    pub fn name_of(&self, id: TypeId) -> &str {
        self.record(id).map_or("", |record| self.name_at(record.name_offset))
    }

    /// The type with this number; [`Type::Void`] for 0 and for numbers that do not exist.
    pub fn type_by_id(&self, id: TypeId) -> Type<'_> {
        let Some(record) = self.record(id) else { return Type::Void };
        let name = || self.name_at(record.name_offset);
        let to = TypeId(record.size_or_type);
        match record.kind() {
            Kind::Void => Type::Void,
            Kind::Int => Type::Int(int(name(), record)),
            Kind::Ptr => Type::Ptr(to),
            Kind::Array => Type::Array(array(record)),
            Kind::Struct => Type::Struct(self.composite(id, name(), record, false)),
            Kind::Union => Type::Union(self.composite(id, name(), record, true)),
            Kind::Enum => Type::Enum(self.enumeration(id, name(), record)),
            Kind::Fwd => Type::Fwd { name: name(), is_union: record.flag() },
            Kind::Typedef => Type::Typedef { name: name(), to },
            Kind::Volatile => Type::Volatile(to),
            Kind::Const => Type::Const(to),
            Kind::Restrict => Type::Restrict(to),
            Kind::Func => {
                let linkage = record.info & 0xffff;
                Type::Func(Func { id, name: name(), proto_id: to, linkage, btf: self })
            }
            Kind::FuncProto => Type::FuncProto(FuncProto { return_type: to, btf: self, raw: trailing(record, 8) }),
            Kind::Var => Type::Var(Var { id, name: name(), type_id: to, linkage: u32_at(record.rest, 0) }),
            Kind::Datasec => {
                let size_bytes = record.size_or_type;
                Type::Datasec(Datasec { name: name(), size_bytes, raw: trailing(record, 12) })
            }
            Kind::Float => Type::Float { name: name(), size_bytes: record.size_or_type },
            Kind::DeclTag => Type::DeclTag { name: name(), to, component: u32_at(record.rest, 0) as i32 },
            Kind::TypeTag => Type::TypeTag { name: name(), to },
        }
    }

    fn composite<'a>(&'a self, id: TypeId, name: &'a str, record: Record<'a>, is_union: bool) -> Composite<'a> {
        let raw = trailing(record, 12);
        let (size_bytes, has_bitfields) = (record.size_or_type, record.flag());
        Composite { id, name, size_bytes, is_union, btf: self, has_bitfields, raw }
    }

    fn enumeration<'a>(&'a self, id: TypeId, name: &'a str, record: Record<'a>) -> Enum<'a> {
        let stride = enumerator_bytes(record.info);
        let (size_bytes, raw) = (record.size_or_type, trailing(record, stride));
        // Kernels older than 6.0 never set the flag: there, negative values read as large ones.
        let is_signed = record.flag();
        Enum { id, name, size_bytes, is_signed, btf: self, stride, raw }
    }
}

/// Bytes of a value of an enum: `BTF_KIND_ENUM64` is 19.
fn enumerator_bytes(info: u32) -> usize {
    if kind_of(info) == 19 { 12 } else { 8 }
}

/// The members, enumerators … after a record; as many as there really are bytes for.
fn trailing(record: Record<'_>, each: usize) -> &[u8] {
    let wanted = vlen_of(record.info) * each;
    record.rest.get(..wanted).unwrap_or_default()
}

fn int<'a>(name: &'a str, record: Record<'a>) -> Int<'a> {
    let data = u32_at(record.rest, 0);
    let encoding = match (data >> 24) & 0xf {
        4 => IntEncoding::Bool,
        2 | 3 => IntEncoding::Char,
        1 => IntEncoding::Signed,
        _ => IntEncoding::Unsigned,
    };
    Int { name, size_bytes: record.size_or_type, bits: data & 0xff, encoding }
}

fn array(record: Record<'_>) -> Array {
    Array {
        element: TypeId(u32_at(record.rest, 0)),
        index: TypeId(u32_at(record.rest, 4)),
        count: u32_at(record.rest, 8),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{LAYOUTS, ask_everything, kernel_or_skip, layouts};
    use super::*;

    fn members(btf: &Btf, name: &str) -> Vec<(String, u32, u32)> {
        let Type::Struct(composite) = btf.type_by_id(btf.find(Kind::Struct, name).unwrap()) else { panic!("{name}") };
        composite.members().map(|m| (m.name.to_owned(), m.bit_offset, m.bit_size)).collect()
    }

    #[test]
    fn reads_members_with_offsets_and_bitfields() {
        let btf = layouts();
        let member = |name: &str, offset, bits| (name.to_owned(), offset, bits);
        assert_eq!(members(&btf, "packed"), [member("a", 0, 0), member("b", 8, 0), member("c", 40, 0)]);
        assert_eq!(
            members(&btf, "bits"),
            [member("a", 0, 3), member("b", 8, 7), member("c", 15, 40), member("d", 55, 1)]
        );
        assert_eq!(members(&btf, "anonymous")[1], member("", 64, 0));
    }

    #[test]
    fn reads_enums_of_all_sizes() {
        let btf = layouts();
        assert_eq!(btf.enumerator("MINUS").unwrap().1, -1);
        assert_eq!(btf.enumerator("WIDER").unwrap().1, 0x1_0000_0001);
        let (tiny, value) = btf.enumerator("TINY_B").unwrap();
        assert_eq!((btf.size_of(tiny), value), (Some(1), 1));
        assert!(btf.enum_has_value("color", "BLUE") && !btf.enum_has_value("color", "PLUS"));
    }

    #[test]
    fn reads_functions() {
        let btf = layouts();
        let takes = btf.func_by_name("takes").unwrap().proto().unwrap();
        assert_eq!((takes.param_count(), takes.is_variadic(), takes.returns_void()), (3, false, false));
        assert!(takes.params_are_scalars_or_pointers());
        assert!(btf.func_by_name("gives_nothing").unwrap().proto().unwrap().returns_void());
        assert!(!btf.func_by_name("by_value").unwrap().proto().unwrap().params_are_scalars_or_pointers());
    }

    #[test]
    fn reads_variables_and_sections() {
        let btf = layouts();
        let Type::Datasec(section) = btf.type_by_id(btf.find(Kind::Datasec, ".bss").unwrap()) else { panic!() };
        let first = section.vars().next().unwrap();
        let Type::Var(var) = btf.type_by_id(first.type_id) else { panic!() };
        assert_eq!((var.name, btf.size_of(var.type_id)), ("v_plain", Some(16)));
    }

    #[test]
    fn damaged_data_never_panics() {
        let elf = layouts();
        let whole = elf.bytes();
        for len in 0..whole.len() {
            let _ = Btf::from_bytes(&whole[..len]).map(|btf| ask_everything(&btf));
        }
        for at in 0..whole.len() {
            let mut bytes = whole.to_vec();
            bytes[at] ^= [0x01, 0x80, 0xff][at % 3];
            let _ = Btf::from_bytes(bytes).map(|btf| ask_everything(&btf));
        }
        assert!(Btf::from_elf(&LAYOUTS[..LAYOUTS.len() / 2]).is_err());
    }

    #[test]
    fn reads_the_running_kernel() {
        let Some(btf) = kernel_or_skip() else { return };
        assert!(btf.type_count() > 10_000);
        assert_ne!(ask_everything(&btf), 0);
        assert!(btf.struct_has_field("task_struct", "pid"));
        assert!(btf.struct_has_field("task_struct", "comm") && !btf.struct_has_field("task_struct", "nobody"));
        assert_eq!(btf.enumerator("BPF_MAP_TYPE_HASH").unwrap().1, 1);
    }

    #[test]
    fn a_split_goes_on_where_its_base_ends() {
        let base = Arc::new(layouts());
        // A typedef `plain_t`, at offset 0 of the split's strings, of a struct of the base.
        let plain = base.find(Kind::Struct, "plain").unwrap();
        let strings = b"plain_t\0";
        let name = base.string_end();
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        for word in [24, 0, 12, 12, strings.len() as u32, name, 8 << 24, plain.0] {
            bytes.extend(u32::to_ne_bytes(word));
        }
        bytes.extend(strings);
        let split = Btf::with_base(base.clone(), bytes).unwrap();
        let typedef = split.find(Kind::Typedef, "plain_t").unwrap();
        assert_eq!(typedef.0, base.type_count());
        assert_eq!(split.resolve(typedef), plain);
        assert_eq!(split.size_of(typedef), Some(16));
        assert_eq!(split.align_of(typedef), 8);
        assert_eq!(split.find(Kind::Struct, "plain"), Some(plain));
        assert_ne!(split.identity(), base.identity());
    }
}
