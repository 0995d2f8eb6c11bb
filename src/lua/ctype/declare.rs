// SPDX-License-Identifier: Apache-2.0
//! From a described type to the text that `ffi.typeof` takes.

use std::fmt::Write;

use super::describe::{CType, Field, Shape};

/// Names that C lets a member have and LuaJIT's parser does not.
const RESERVED: [&str; 7] = ["asm", "bool", "complex", "inline", "restrict", "true", "false"];

impl CType {
    /// The declaration: a type without a name (`uint32_t[2][3]`, `struct … { … }`). Each `$` in it stands for the type of a
    /// member or element that is a struct, a union or an `__int128`, in their order; members of anonymous structs and
    /// unions are written out in their place.
    pub fn declaration(&self) -> String {
        match &self.shape {
            Shape::Struct { .. } | Shape::Int128 { .. } => whole(self),
            _ => declare(self, ""),
        }
    }
}

impl Field {
    /// Whether the declaration has this member; one that it lacks is read at its place.
    pub fn is_declared(&self) -> bool {
        !RESERVED.contains(&self.name.as_str()) && (self.bit_size == 0 || self.unit_bits().is_some())
    }

    /// The narrowest aligned unit that the bit-field lies in whole, of the widths that LuaJIT has bit-fields of. In a packed
    /// struct it shrinks the unit of what fits a byte to one (`cp_struct_layout` in its `lj_cparse.c`), across which it cannot
    /// read.
    fn unit_bits(&self) -> Option<u32> {
        let last = self.bit_offset + self.bit_size.checked_sub(1)?;
        let whole = |bits: &u32| self.bit_offset / bits == last / bits && (*bits == 8 || self.bit_size > 8);
        [8, 16, 32].into_iter().find(whole)
    }

    fn end(&self) -> u64 {
        let bits = if self.bit_size > 0 { u64::from(self.bit_size) } else { self.ctype.size_bytes * 8 };
        u64::from(self.bit_offset) + bits
    }
}

/// `uint32_t name[4]`: the type around a declarator.
fn declare(ctype: &CType, declarator: &str) -> String {
    if let Shape::Array { element, count } = &ctype.shape {
        return declare(element, &format!("{declarator}[{count}]"));
    }
    let base = base_name(ctype);
    let apart = !declarator.is_empty() && !declarator.starts_with('[');
    if apart { format!("{base} {declarator}") } else { format!("{base}{declarator}") }
}

fn base_name(ctype: &CType) -> String {
    match &ctype.shape {
        Shape::Struct { .. } | Shape::Int128 { .. } => "$".to_owned(),
        _ => whole(ctype),
    }
}

fn whole(ctype: &CType) -> String {
    match &ctype.shape {
        Shape::Int { signed } | Shape::Enum { signed, .. } => integer(*signed, ctype.size_bytes * 8),
        Shape::Char => "char".to_owned(),
        Shape::Bool => "bool".to_owned(),
        Shape::Float => if ctype.size_bytes == 4 { "float" } else { "double" }.to_owned(),
        Shape::Pointer => "uint64_t".to_owned(),
        Shape::Int128 { signed } => format!("struct {{ uint64_t lo; {} hi; }}", integer(*signed, 64)),
        Shape::Struct { is_union, fields } => composite(ctype.size_bytes, *is_union, fields),
        Shape::Bytes | Shape::Array { .. } => format!("struct {{ uint8_t bytes[{}]; }}", ctype.size_bytes),
    }
}

fn integer(signed: bool, bits: u64) -> String {
    format!("{}int{bits}_t", if signed { "" } else { "u" })
}

fn composite(size_bytes: u64, is_union: bool, fields: &[Field]) -> String {
    let mut body = Body { text: String::new(), at: 0, pads: 0 };
    let declared = fields.iter().filter(|field| field.is_declared());
    if is_union {
        declared.for_each(|field| body.member(field));
        if size_bytes > 0 {
            // A union whose size is set by what is not declared.
            let _ = write!(body.text, "uint8_t __bpflua_pad[{size_bytes}]; ");
        }
        return format!("union __attribute__((packed)) {{ {}}}", body.text);
    }
    for field in declared {
        body.pad_to(u64::from(field.bit_offset));
        body.member(field);
        body.at = field.end();
    }
    body.pad_to(size_bytes * 8);
    format!("struct __attribute__((packed)) {{ {}}}", body.text)
}

/// The members of a struct as they are written, and how many bits they take so far.
struct Body {
    text: String,
    at: u64,
    pads: u32,
}

impl Body {
    fn member(&mut self, field: &Field) {
        let text = match field.unit_bits() {
            Some(bits) => format!("{} {}:{}; ", bit_field_type(&field.ctype.shape, bits), field.name, field.bit_size),
            None if field.name.is_empty() => format!("{}; ", whole(&field.ctype)),
            None => format!("{}; ", declare(&field.ctype, &field.name)),
        };
        self.text += &text;
    }

    /// Padding up to a bit: bits to the next byte, whole bytes, bits again.
    fn pad_to(&mut self, bit: u64) {
        let next_byte = self.at.next_multiple_of(8);
        if bit <= self.at {
            return;
        }
        if bit <= next_byte {
            let _ = write!(self.text, "uint8_t :{}; ", bit - self.at);
            self.at = bit;
            return;
        }
        if next_byte > self.at {
            let _ = write!(self.text, "uint8_t :{}; ", next_byte - self.at);
        }
        let bytes = (bit - next_byte) / 8;
        if bytes > 0 {
            let _ = write!(self.text, "uint8_t __bpflua_pad{}[{bytes}]; ", self.pads);
            self.pads += 1;
        }
        if !bit.is_multiple_of(8) {
            let _ = write!(self.text, "uint8_t :{}; ", bit % 8);
        }
        self.at = bit;
    }
}

fn bit_field_type(shape: &Shape, bits: u32) -> String {
    match shape {
        Shape::Bool if bits == 8 => "bool".to_owned(),
        Shape::Int { signed } | Shape::Enum { signed, .. } => integer(*signed, u64::from(bits)),
        Shape::Char => integer(true, u64::from(bits)),
        _ => integer(false, u64::from(bits)),
    }
}
