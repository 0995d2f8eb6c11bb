// SPDX-License-Identifier: Apache-2.0
//! From BTF to what Lua needs to know of a type.

use crate::kernel::btf::{Array, Btf, Composite, Enum, Int, IntEncoding, Member, Type, TypeId};

/// Types nested deeper than this are damaged data; the rest is bytes.
const MAX_DEPTH: u32 = 32;

/// A type as Lua sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CType {
    /// What the C text calls it: `u64`, `struct key_t`, `char [16]`.
    pub name: String,
    /// The same behind typedefs, where there is something with a name: `struct key` for a `key_t`.
    pub tag: String,
    /// `sizeof`, in bytes.
    pub size_bytes: u64,
    /// What it is.
    pub shape: Shape,
}

/// What a type is, behind its typedefs and qualifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum Shape {
    /// An integer of 1, 2, 4 or 8 bytes.
    Int { signed: bool },
    /// A plain `char`: text when in an array.
    Char,
    /// `_Bool`.
    Bool,
    /// `float` or `double`.
    Float,
    /// An enum; its names and values.
    Enum { signed: bool, values: Vec<(String, i64)> },
    /// A pointer of the kernel's or of another process.
    Pointer,
    /// `__int128`, as two halves.
    Int128 { signed: bool },
    /// One dimension of an array.
    Array { element: Box<CType>, count: u32 },
    /// A struct or a union.
    Struct { is_union: bool, fields: Vec<Field> },
    /// Anything else: bytes.
    Bytes,
}

impl CType {
    /// What is known by its size alone: a whole number, or else bytes.
    pub fn of_size(size_bytes: u64) -> CType {
        let (name, shape) = match size_bytes {
            1 | 2 | 4 | 8 => (format!("u{}", size_bytes * 8), Shape::Int { signed: false }),
            _ => (format!("{size_bytes} bytes"), Shape::Bytes),
        };
        CType { tag: name.clone(), name, size_bytes, shape }
    }
}

/// A member of a struct or union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// `""` for an anonymous struct or union.
    pub name: String,
    /// From the start of the struct, in bits.
    pub bit_offset: u32,
    /// Bits of a bit-field; 0 for an ordinary member.
    pub bit_size: u32,
    /// Its type.
    pub ctype: CType,
}

/// Describes a type; `None` when it has no size (void, a function, an incomplete struct).
pub fn describe(btf: &Btf, id: TypeId) -> Option<CType> {
    Describer { btf }.ctype(id, 0)
}

struct Describer<'a> {
    btf: &'a Btf,
}

impl Describer<'_> {
    fn ctype(&self, id: TypeId, depth: u32) -> Option<CType> {
        let size_bytes = self.btf.size_of(id)?;
        let shape = match self.btf.type_by_id(self.btf.resolve(id)) {
            _ if depth > MAX_DEPTH => Shape::Bytes,
            Type::Int(int) => int_shape(&int),
            Type::Enum(e) => enum_shape(&e),
            Type::Float { size_bytes: 4 | 8, .. } => Shape::Float,
            Type::Ptr(_) => Shape::Pointer,
            Type::Array(array) => self.array_shape(&array, depth)?,
            Type::Struct(composite) | Type::Union(composite) => self.struct_shape(&composite, depth),
            _ => Shape::Bytes,
        };
        Some(CType { name: self.name(id), tag: self.tag(id), size_bytes, shape })
    }

    /// The name behind the typedefs; that of the last typedef of what has none itself.
    fn tag(&self, id: TypeId) -> String {
        match self.btf.type_by_id(id) {
            Type::Typedef { name, to } => match self.tag(to) {
                tag if ["struct", "union", "enum"].contains(&tag.as_str()) => name.to_owned(),
                tag => tag,
            },
            Type::Const(to) | Type::Volatile(to) | Type::Restrict(to) | Type::TypeTag { to, .. } => self.tag(to),
            _ => self.name(id),
        }
    }

    fn array_shape(&self, array: &Array, depth: u32) -> Option<Shape> {
        let element = Box::new(self.ctype(array.element, depth + 1)?);
        Some(Shape::Array { element, count: array.count })
    }

    fn struct_shape(&self, composite: &Composite<'_>, depth: u32) -> Shape {
        let fields = composite.members().filter_map(|member| self.field(&member, depth)).collect();
        Shape::Struct { is_union: composite.is_union, fields }
    }

    fn field(&self, member: &Member<'_>, depth: u32) -> Option<Field> {
        let ctype = self.ctype(member.type_id, depth + 1)?;
        let (bit_offset, bit_size) = (member.bit_offset, member.bit_size);
        Some(Field { name: member.name.to_owned(), bit_offset, bit_size, ctype })
    }

    /// The C name of a type, without its qualifiers.
    fn name(&self, id: TypeId) -> String {
        match self.btf.type_by_id(id) {
            Type::Typedef { name, .. } | Type::Float { name, .. } => name.to_owned(),
            Type::Int(int) => int.name.to_owned(),
            Type::Struct(composite) => tagged(if composite.is_union { "union" } else { "struct" }, composite.name),
            Type::Union(composite) => tagged("union", composite.name),
            Type::Enum(e) => tagged("enum", e.name),
            Type::Fwd { name, is_union } => tagged(if is_union { "union" } else { "struct" }, name),
            Type::Const(to) | Type::Volatile(to) | Type::Restrict(to) | Type::TypeTag { to, .. } => self.name(to),
            Type::Ptr(to) => format!("{} *", self.name(to)).replace("* *", "**"),
            Type::Array(array) => self.array_name(&array),
            Type::Void => "void".to_owned(),
            _ => "function".to_owned(),
        }
    }

    fn array_name(&self, array: &Array) -> String {
        let element = self.name(array.element);
        match element.split_once(" [") {
            Some((base, inner)) => format!("{base} [{}][{inner}", array.count),
            None => format!("{element} [{}]", array.count),
        }
    }
}

fn tagged(tag: &str, name: &str) -> String {
    if name.is_empty() { tag.to_owned() } else { format!("{tag} {name}") }
}

fn int_shape(int: &Int<'_>) -> Shape {
    let signed = int.encoding == IntEncoding::Signed;
    match int.size_bytes {
        1 if int.encoding == IntEncoding::Bool => Shape::Bool,
        1 if int.name == "char" || int.encoding == IntEncoding::Char => Shape::Char,
        1 | 2 | 4 | 8 => Shape::Int { signed },
        16 => Shape::Int128 { signed },
        _ => Shape::Bytes,
    }
}

fn enum_shape(e: &Enum<'_>) -> Shape {
    let values = e.enumerators().map(|value| (value.name.to_owned(), value.value)).collect();
    Shape::Enum { signed: e.is_signed, values }
}
