// SPDX-License-Identifier: Apache-2.0
//! Types as they are asked for: small copies and borrowed slices, decoded on the spot.

use super::index::u32_at;
use super::reader::Btf;

/// The number of a type within a [`Btf`] (for a split one: counted on from its base).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u32);

impl TypeId {
    /// `void`: the type with the number 0.
    pub const VOID: TypeId = TypeId(0);
}

/// What a type is. `Enum` covers enums of all sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are BTF's own")]
pub enum Kind {
    Void,
    Int,
    Ptr,
    Array,
    Struct,
    Union,
    Enum,
    Fwd,
    Typedef,
    Volatile,
    Const,
    Restrict,
    Func,
    FuncProto,
    Var,
    Datasec,
    Float,
    DeclTag,
    TypeTag,
}

impl Kind {
    pub(super) fn from_number(number: u32) -> Kind {
        match number {
            1 => Kind::Int,
            2 => Kind::Ptr,
            3 => Kind::Array,
            4 => Kind::Struct,
            5 => Kind::Union,
            6 | 19 => Kind::Enum,
            7 => Kind::Fwd,
            8 => Kind::Typedef,
            9 => Kind::Volatile,
            10 => Kind::Const,
            11 => Kind::Restrict,
            12 => Kind::Func,
            13 => Kind::FuncProto,
            14 => Kind::Var,
            15 => Kind::Datasec,
            16 => Kind::Float,
            17 => Kind::DeclTag,
            18 => Kind::TypeTag,
            _ => Kind::Void,
        }
    }
}

/// One type. Ids of types it refers to may be out of range in damaged data; they then read as [`Type::Void`].
#[derive(Clone, Copy, Debug)]
pub enum Type<'a> {
    /// `void`; also an id that does not exist, and a kind this program does not know.
    Void,
    /// An integer, character or boolean.
    Int(Int<'a>),
    /// A pointer to …
    Ptr(TypeId),
    /// One dimension of an array.
    Array(Array),
    /// A struct.
    Struct(Composite<'a>),
    /// A union.
    Union(Composite<'a>),
    /// An enum, of any size.
    Enum(Enum<'a>),
    /// A struct or union of which only the name is known.
    #[expect(missing_docs, reason = "plain")]
    Fwd { name: &'a str, is_union: bool },
    /// Another name for a type.
    #[expect(missing_docs, reason = "plain")]
    Typedef { name: &'a str, to: TypeId },
    /// `volatile …`
    Volatile(TypeId),
    /// `const …`
    Const(TypeId),
    /// `restrict …`
    Restrict(TypeId),
    /// A function.
    Func(Func<'a>),
    /// The type of a function.
    FuncProto(FuncProto<'a>),
    /// A global variable.
    Var(Var<'a>),
    /// An ELF section with its variables.
    Datasec(Datasec<'a>),
    /// A floating-point number.
    #[expect(missing_docs, reason = "plain")]
    Float { name: &'a str, size_bytes: u32 },
    /// A tag on a declaration; `component` is the member or parameter, -1 for the declaration itself.
    #[expect(missing_docs, reason = "plain")]
    DeclTag { name: &'a str, to: TypeId, component: i32 },
    /// A tag on a pointed-to type (`__user`, `__rcu` …).
    #[expect(missing_docs, reason = "plain")]
    TypeTag { name: &'a str, to: TypeId },
}

/// How the bits of an [`Int`] are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "plain")]
pub enum IntEncoding {
    Unsigned,
    Signed,
    Char,
    Bool,
}

/// An integer type.
#[derive(Clone, Copy, Debug)]
pub struct Int<'a> {
    /// Its name as the compiler wrote it (`long unsigned int`).
    pub name: &'a str,
    /// Bytes in memory.
    pub size_bytes: u32,
    /// Bits that count; fewer than 8 × size only in very old bit-fields.
    pub bits: u32,
    /// How to read it.
    pub encoding: IntEncoding,
}

/// One dimension of an array.
#[derive(Clone, Copy, Debug)]
pub struct Array {
    /// The type of an element.
    pub element: TypeId,
    /// The type of an index.
    pub index: TypeId,
    /// Number of elements; 0 for a flexible array.
    pub count: u32,
}

/// A struct or a union.
#[derive(Clone, Copy, Debug)]
pub struct Composite<'a> {
    /// Its own id.
    pub id: TypeId,
    /// `""` when it has none.
    pub name: &'a str,
    /// `sizeof`.
    pub size_bytes: u32,
    /// A union rather than a struct.
    pub is_union: bool,
    pub(super) btf: &'a Btf,
    pub(super) has_bitfields: bool,
    pub(super) raw: &'a [u8],
}

/// One member of a struct or union.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// `""` for an anonymous struct or union.
    pub name: &'a str,
    /// Its type.
    pub type_id: TypeId,
    /// From the start of the struct.
    pub bit_offset: u32,
    /// Bits of a bit-field; 0 for an ordinary member.
    pub bit_size: u32,
}

impl<'a> Composite<'a> {
    /// The members, in order.
    pub fn members(&self) -> impl ExactSizeIterator<Item = Member<'a>> + Clone + use<'a> {
        let (btf, has_bitfields) = (self.btf, self.has_bitfields);
        self.raw.chunks_exact(12).map(move |raw| {
            let offset = u32_at(raw, 8);
            let (bit_offset, bit_size) = if has_bitfields { (offset & 0x00ff_ffff, offset >> 24) } else { (offset, 0) };
            Member { name: btf.name_at(u32_at(raw, 0)), type_id: TypeId(u32_at(raw, 4)), bit_offset, bit_size }
        })
    }

    /// How many members there are.
    pub fn member_count(&self) -> usize {
        self.raw.len() / 12
    }
}

/// An enum: its values, up to 64 bits each.
#[derive(Clone, Copy, Debug)]
pub struct Enum<'a> {
    /// Its own id.
    pub id: TypeId,
    /// `""` when it has none.
    pub name: &'a str,
    /// `sizeof`: 1, 2, 4 or 8.
    pub size_bytes: u32,
    /// Whether values are signed.
    pub is_signed: bool,
    pub(super) btf: &'a Btf,
    /// Bytes per enumerator in `raw`: 8, or 12 when values have 64 bits.
    pub(super) stride: usize,
    pub(super) raw: &'a [u8],
}

/// One name and value of an enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enumerator<'a> {
    /// The name.
    pub name: &'a str,
    /// The value; an unsigned one above `i64::MAX` wraps.
    pub value: i64,
}

impl<'a> Enum<'a> {
    /// The names and values, in order.
    pub fn enumerators(&self) -> impl ExactSizeIterator<Item = Enumerator<'a>> + Clone + use<'a> {
        let (btf, stride, is_signed) = (self.btf, self.stride, self.is_signed);
        self.raw.chunks_exact(stride).map(move |raw| {
            let low = u32_at(raw, 4);
            let value = match (stride, is_signed) {
                (12, _) => (u64::from(u32_at(raw, 8)) << 32 | u64::from(low)) as i64,
                (_, true) => i64::from(low as i32),
                (_, false) => i64::from(low),
            };
            Enumerator { name: btf.name_at(u32_at(raw, 0)), value }
        })
    }

    /// How many names there are.
    pub fn enumerator_count(&self) -> usize {
        self.raw.len() / self.stride
    }
}

/// A function.
#[derive(Clone, Copy, Debug)]
pub struct Func<'a> {
    /// Its own id (what fentry attaches to).
    pub id: TypeId,
    /// Its name.
    pub name: &'a str,
    /// The id of its type.
    pub proto_id: TypeId,
    /// 0 static, 1 global, 2 extern.
    pub linkage: u32,
    pub(super) btf: &'a Btf,
}

impl<'a> Func<'a> {
    /// Its type; `None` only in damaged data.
    pub fn proto(&self) -> Option<FuncProto<'a>> {
        match self.btf.type_by_id(self.proto_id) {
            Type::FuncProto(proto) => Some(proto),
            _ => None,
        }
    }
}

/// The type of a function.
#[derive(Clone, Copy, Debug)]
pub struct FuncProto<'a> {
    /// The type it returns.
    pub return_type: TypeId,
    pub(super) btf: &'a Btf,
    pub(super) raw: &'a [u8],
}

/// One parameter of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// `""` in function pointers.
    pub name: &'a str,
    /// Its type.
    pub type_id: TypeId,
}

impl<'a> FuncProto<'a> {
    /// The parameters, without the `...` of a variadic function.
    pub fn params(&self) -> impl ExactSizeIterator<Item = Param<'a>> + Clone + use<'a> {
        let btf = self.btf;
        self.raw
            .chunks_exact(8)
            .take(self.param_count())
            .map(move |raw| Param { name: btf.name_at(u32_at(raw, 0)), type_id: TypeId(u32_at(raw, 4)) })
    }

    /// Number of parameters, without `...`.
    pub fn param_count(&self) -> usize {
        self.raw.len() / 8 - usize::from(self.is_variadic())
    }

    /// Ends in `...`.
    pub fn is_variadic(&self) -> bool {
        self.raw.chunks_exact(8).last().is_some_and(|last| last.iter().all(|byte| *byte == 0))
    }

    /// Returns `void`.
    pub fn returns_void(&self) -> bool {
        matches!(self.btf.type_by_id(self.btf.resolve(self.return_type)), Type::Void)
    }

    /// Every parameter is an integer, enum or pointer: each takes one slot of an fentry context.
    pub fn params_are_scalars_or_pointers(&self) -> bool {
        self.params().all(|param| {
            let resolved = self.btf.resolve(param.type_id);
            let fits = self.btf.size_of(resolved).is_some_and(|size| size <= 8);
            fits && matches!(self.btf.type_by_id(resolved), Type::Int(_) | Type::Enum(_) | Type::Ptr(_))
        })
    }
}

/// A global variable.
#[derive(Clone, Copy, Debug)]
pub struct Var<'a> {
    /// Its own id.
    pub id: TypeId,
    /// Its name.
    pub name: &'a str,
    /// Its type.
    pub type_id: TypeId,
    /// 0 static, 1 global, 2 extern.
    pub linkage: u32,
}

/// An ELF section with its variables.
#[derive(Clone, Copy, Debug)]
pub struct Datasec<'a> {
    /// The section's name.
    pub name: &'a str,
    /// Its size; 0 in an object that was not linked.
    pub size_bytes: u32,
    pub(super) raw: &'a [u8],
}

/// One variable's place in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatasecVar {
    /// The [`Type::Var`].
    pub type_id: TypeId,
    /// Byte offset in the section; 0 in an object that was not linked.
    pub offset: u32,
    /// Its size.
    pub size_bytes: u32,
}

impl<'a> Datasec<'a> {
    /// The variables, in order.
    pub fn vars(&self) -> impl ExactSizeIterator<Item = DatasecVar> + Clone + use<'a> {
        self.raw.chunks_exact(12).map(|raw| DatasecVar {
            type_id: TypeId(u32_at(raw, 0)),
            offset: u32_at(raw, 4),
            size_bytes: u32_at(raw, 8),
        })
    }
}
