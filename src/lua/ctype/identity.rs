// SPDX-License-Identifier: Apache-2.0
//! What makes two descriptions the same type: layout, tags, members' names, enumerators. Typedefs are other names of it.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::describe::{CType, Shape};

impl CType {
    /// A number for the type, good in this process.
    pub fn identity(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.add_to(&mut hasher);
        hasher.finish()
    }

    fn add_to(&self, hasher: &mut DefaultHasher) {
        std::mem::discriminant(&self.shape).hash(hasher);
        self.size_bytes.hash(hasher);
        match &self.shape {
            Shape::Int { signed } | Shape::Int128 { signed } => signed.hash(hasher),
            Shape::Enum { signed, values } => (&self.tag, signed, values).hash(hasher),
            Shape::Array { element, count } => {
                count.hash(hasher);
                element.add_to(hasher);
            }
            Shape::Struct { is_union, fields } => {
                (&self.tag, is_union, fields.len()).hash(hasher);
                for field in fields {
                    (&field.name, field.bit_offset, field.bit_size).hash(hasher);
                    field.ctype.add_to(hasher);
                }
            }
            Shape::Char | Shape::Bool | Shape::Float | Shape::Pointer | Shape::Bytes => {}
        }
    }
}
