// SPDX-License-Identifier: Apache-2.0
//! What a value looks like to a program that copies it out, and to the person who reads it.

use crate::kernel::btf::{Btf, IntEncoding, Type, TypeId};
use crate::kernel::tracefs::{DataLocation, TracepointField};

/// More names than this say nothing more of a number.
const MAX_ENUMERATORS: usize = 256;

/// The form of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An integer of so many bytes.
    Int {
        /// Bytes.
        size: u32,
        /// Whether it may be below zero.
        signed: bool,
    },
    /// True or false.
    Bool,
    /// A number with names.
    Enum {
        /// Bytes.
        size: u32,
        /// The numbers and their names.
        names: Vec<(i64, String)>,
    },
    /// A pointer to text that ends in NUL.
    Text {
        /// Whether it surely is in user memory.
        user: bool,
    },
    /// Text where it stands, of so many bytes at most.
    TextArray {
        /// Bytes.
        size: u32,
    },
    /// Text elsewhere in a tracepoint's record.
    RecordText(DataLocation),
    /// So many bytes that are no text.
    Bytes {
        /// How many.
        size: u32,
    },
    /// A pointer to something else.
    Pointer,
    /// A structure: only its members have values.
    Record {
        /// Its members' names.
        members: Vec<String>,
    },
    /// What has no value to show: an array of structures, a function.
    Opaque,
}

impl Shape {
    /// Of a type of the kernel's.
    pub fn of(btf: &Btf, id: TypeId) -> Shape {
        let resolved = btf.resolve(id);
        match btf.type_by_id(resolved) {
            Type::Int(int) if int.encoding == IntEncoding::Bool => Shape::Bool,
            Type::Int(int) => Shape::Int { size: int.size_bytes, signed: int.encoding == IntEncoding::Signed },
            Type::Enum(e) if e.enumerator_count() <= MAX_ENUMERATORS && !e.name.is_empty() => Shape::Enum {
                size: e.size_bytes,
                names: e.enumerators().map(|one| (one.value, one.name.to_owned())).collect(),
            },
            Type::Enum(e) => Shape::Int { size: e.size_bytes, signed: e.is_signed },
            Type::Ptr(to) if is_text(btf, to) => Shape::Text { user: has_tag(btf, to, "user") },
            Type::Ptr(_) => Shape::Pointer,
            Type::Array(array) => match btf.size_of(array.element) {
                Some(1) if is_text(btf, array.element) => Shape::TextArray { size: array.count },
                Some(1) => Shape::Bytes { size: array.count },
                _ => Shape::Opaque,
            },
            Type::Struct(_) | Type::Union(_) => Shape::Record { members: member_names(btf, resolved, 0) },
            _ => Shape::Opaque,
        }
    }

    /// Of a field of a tracepoint's record.
    pub fn of_record_field(field: &TracepointField, in_user_memory: bool) -> Shape {
        let base = field.c_type.strip_prefix("const ").unwrap_or(&field.c_type);
        if let Some(location) = field.data_loc {
            return if base == "char" { Shape::RecordText(location) } else { Shape::Opaque };
        }
        let is_byte = matches!(base, "char" | "unsigned char" | "u8" | "__u8" | "uint8_t" | "s8" | "__s8");
        match field.array_len {
            Some(0) => Shape::Opaque,
            Some(count) if base == "char" => Shape::TextArray { size: count },
            Some(count) if is_byte => Shape::Bytes { size: count },
            Some(_) => Shape::Opaque,
            None if matches!(base, "char *" | "char * const") => Shape::Text { user: in_user_memory },
            None if base.ends_with('*') => Shape::Pointer,
            None if base == "bool" => Shape::Bool,
            None if matches!(field.size, 1 | 2 | 4 | 8) => Shape::Int { size: field.size, signed: field.signed },
            None => Shape::Opaque,
        }
    }
}

/// `char`, and the `unsigned char` of the kernel's names; `u8` is a number.
fn is_text(btf: &Btf, id: TypeId) -> bool {
    let mut at = id;
    for _ in 0..8 {
        match btf.type_by_id(at) {
            Type::Const(to) | Type::Volatile(to) | Type::Restrict(to) | Type::TypeTag { to, .. } => at = to,
            Type::Int(int) => return matches!(int.name, "char" | "unsigned char"),
            _ => return false,
        }
    }
    false
}

fn has_tag(btf: &Btf, id: TypeId, wanted: &str) -> bool {
    let mut at = id;
    for _ in 0..8 {
        match btf.type_by_id(at) {
            Type::TypeTag { name, .. } if name == wanted => return true,
            Type::Const(to) | Type::Volatile(to) | Type::Restrict(to) | Type::TypeTag { to, .. } => at = to,
            _ => return false,
        }
    }
    false
}

/// The names of a structure's members, those inside members without a name included.
pub fn member_names(btf: &Btf, id: TypeId, depth: u32) -> Vec<String> {
    let (Type::Struct(composite) | Type::Union(composite)) = btf.type_by_id(btf.resolve(id)) else { return Vec::new() };
    let mut names = Vec::new();
    for member in composite.members() {
        if !member.name.is_empty() {
            names.push(member.name.to_owned());
        } else if depth < 16 {
            names.extend(member_names(btf, member.type_id, depth + 1));
        }
    }
    names
}

/// A structure's members, each with its declaration.
pub fn member_declarations(btf: &Btf, id: TypeId, depth: u32) -> Vec<(String, String)> {
    let (Type::Struct(composite) | Type::Union(composite)) = btf.type_by_id(btf.resolve(id)) else { return Vec::new() };
    let mut found = Vec::new();
    for member in composite.members() {
        if !member.name.is_empty() {
            found.push((member.name.to_owned(), btf.c_declaration(member.type_id, member.name)));
        } else if depth < 16 {
            found.extend(member_declarations(btf, member.type_id, depth + 1));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::btf::{Kind, shared};

    #[test]
    fn shapes_of_the_kernels_types() {
        let Ok(btf) = shared() else {
            println!("skipped: this kernel has no types");
            return;
        };
        let shape = |name: &str, member: &str| {
            let found = btf.find(Kind::Struct, name).and_then(|id| btf.field(id, member)).unwrap();
            Shape::of(&btf, found.type_id)
        };
        assert_eq!(shape("task_struct", "comm"), Shape::TextArray { size: 16 });
        assert_eq!(shape("task_struct", "pid"), Shape::Int { size: 4, signed: true });
        assert_eq!(shape("task_struct", "parent"), Shape::Pointer);
        assert_eq!(shape("qstr", "name"), Shape::Text { user: false });
        assert!(matches!(shape("file", "f_path"), Shape::Record { members } if members.contains(&"dentry".to_owned())));
        assert!(matches!(shape("in6_addr", "in6_u"), Shape::Record { .. }));
    }

    #[test]
    fn shapes_of_record_fields() {
        let field = |c_type: &str, size, signed, array_len| TracepointField {
            name: "x".to_owned(),
            c_type: c_type.to_owned(),
            offset: 8,
            size,
            signed,
            array_len,
            data_loc: None,
        };
        let shape = |field: &TracepointField| Shape::of_record_field(field, true);
        assert_eq!(shape(&field("const char *", 8, false, None)), Shape::Text { user: true });
        assert_eq!(shape(&field("char", 16, false, Some(16))), Shape::TextArray { size: 16 });
        assert_eq!(shape(&field("__u8", 4, false, Some(4))), Shape::Bytes { size: 4 });
        assert_eq!(shape(&field("pid_t", 4, true, None)), Shape::Int { size: 4, signed: true });
        assert_eq!(shape(&field("struct sk_buff *", 8, false, None)), Shape::Pointer);
        assert_eq!(shape(&field("unsigned long", 48, false, Some(6))), Shape::Opaque);
    }
}
