// SPDX-License-Identifier: Apache-2.0
//! The members of a struct or union, each exactly where the kernel has it.

use super::closure::Level;
use super::declarator::Place;
use super::naming::c_identifier;
use super::writer::Writer;
use crate::kernel::btf::{Composite, Member, Type, TypeId};

/// The text between the braces, and the attributes after them.
pub(super) struct Body {
    pub(super) members: String,
    pub(super) attributes: String,
}

/// Where a C compiler would be after the members written so far.
struct Cursor {
    /// Bits from the start.
    at: u64,
    packed: bool,
    members: String,
    indent: usize,
}

impl Writer<'_> {
    /// Writes the members that are visible at `level`, defining the types they need first.
    pub(super) fn body(&mut self, composite: Composite<'_>, level: Level, indent: usize) -> Body {
        let align = self.closure.btf.align_of(composite.id);
        let packed = align == 1 && composite.members().any(|member| self.closure.btf.align_of(member.type_id) > 1);
        let mut cursor = Cursor { at: 0, packed, members: String::new(), indent };
        let (mut seen_align, mut has_bits, mut solid_align) = (1, false, 1);
        for member in composite.members() {
            if !self.closure.is_visible(level, member.name, member.type_id) {
                continue;
            }
            if composite.is_union {
                cursor.at = 0;
            }
            if self.place(&mut cursor, member) {
                self.write_member(&mut cursor, member, level);
                let member_align = self.closure.btf.align_of(member.type_id);
                seen_align = seen_align.max(member_align);
                has_bits |= member.bit_size > 0;
                solid_align = solid_align.max(if member.bit_size > 0 { 1 } else { member_align });
            }
        }
        if has_bits && !packed && !composite.is_union && solid_align < align {
            cursor.align(align, &mut self.pads);
        }
        let size = u64::from(composite.size_bytes) * 8;
        if composite.is_union {
            // The members seen may be smaller than the union.
            let largest = self.largest_visible(composite, level).next_multiple_of(u64::from(align));
            if largest * 8 < size {
                cursor.pad_bytes(size / 8, &mut self.pads);
            }
        } else {
            let end =
                if packed { cursor.at.next_multiple_of(8) } else { cursor.at.next_multiple_of(8 * u64::from(align)) };
            if end < size {
                cursor.at = cursor.at.next_multiple_of(8);
                cursor.pad_bytes((size - cursor.at) / 8, &mut self.pads);
            }
        }
        let attributes = match () {
            () if packed => " __attribute__((packed))".to_owned(),
            () if seen_align < align => format!(" __attribute__((aligned({align})))"),
            () => String::new(),
        };
        Body { members: cursor.members, attributes }
    }

    fn largest_visible(&self, composite: Composite<'_>, level: Level) -> u64 {
        let visible = composite.members().filter(|member| self.closure.is_visible(level, member.name, member.type_id));
        visible.map(|member| member_bits(self, member).unwrap_or(0).div_ceil(8)).max().unwrap_or(0)
    }

    /// Pads up to a member's place; `false` when C cannot put it there (damaged or overlapping data).
    fn place(&mut self, cursor: &mut Cursor, member: Member<'_>) -> bool {
        let Some(bits) = member_bits(self, member) else { return false };
        let (offset, unit) = (u64::from(member.bit_offset), u64::from(self.closure.btf.align_of(member.type_id)) * 8);
        if cursor.at > offset {
            return false;
        }
        if member.bit_size == 0 {
            let unit = if cursor.packed { 8 } else { unit };
            if offset % unit != 0 {
                return false;
            }
            if cursor.at.next_multiple_of(unit) < offset {
                cursor.at = cursor.at.next_multiple_of(8);
                cursor.pad_bytes((offset - cursor.at) / 8, &mut self.pads);
            }
        } else {
            let spans_units = |at: u64| at / unit != (at + bits - 1) / unit;
            let natural =
                if !cursor.packed && spans_units(cursor.at) { cursor.at.next_multiple_of(unit) } else { cursor.at };
            if natural != offset {
                cursor.pad_bits(offset, &mut self.pads);
            }
        }
        cursor.at = offset + bits;
        true
    }

    fn write_member(&mut self, cursor: &mut Cursor, member: Member<'_>, level: Level) {
        let place = Place::member(cursor.indent, self.wants_prototype(level, member.name));
        let name = if member.name.is_empty() { String::new() } else { c_identifier(member.name) };
        self.note_name(&name);
        let text = self.declare(member.type_id, name, place);
        let bits = if member.bit_size == 0 { String::new() } else { format!(" : {}", member.bit_size) };
        cursor.line(&format!("{text}{bits};"));
    }

    /// `struct { … }` in place, for a type without a name.
    pub(super) fn anonymous_body(&mut self, id: TypeId, keyword: &str, place: Place) -> String {
        let (Type::Struct(composite) | Type::Union(composite)) = self.closure.btf.type_by_id(id) else {
            return format!("{keyword} {{ }}");
        };
        let level = self.closure.level(id).unwrap_or(Level::Used);
        let body = self.body(composite, level, place.indent + 1);
        let close = "\t".repeat(place.indent);
        format!("{keyword} {{\n{}{close}}}{}", body.members, body.attributes)
    }
}

fn member_bits(writer: &Writer<'_>, member: Member<'_>) -> Option<u64> {
    match member.bit_size {
        0 => writer.closure.btf.size_of(member.type_id).and_then(|size| size.checked_mul(8)),
        bits => Some(bits.into()),
    }
}

impl Cursor {
    fn line(&mut self, text: &str) {
        self.members.extend(std::iter::repeat_n('\t', self.indent));
        self.members += text;
        self.members.push('\n');
    }

    /// Gives the struct the alignment of members that are left out. An attribute would be enough for its layout, but LLVM
    /// asks the members where a bit field's unit may lie (`__builtin_preserve_field_info`).
    fn align(&mut self, align: u32, pads: &mut u32) {
        let ty = match align {
            2 => "unsigned short",
            4 => "unsigned int",
            _ => "unsigned long long",
        };
        let number = *pads;
        *pads += 1;
        let rest = std::mem::take(&mut self.members);
        self.line(&format!("{ty} __bpflua_{number}[0];"));
        self.members += &rest;
    }

    fn pad_bytes(&mut self, bytes: u64, pads: &mut u32) {
        if bytes > 0 {
            let number = *pads;
            *pads += 1;
            self.line(&format!("unsigned char __bpflua_{number}[{bytes}];"));
            self.at += bytes * 8;
        }
    }

    /// Pads bit by bit up to the next byte, then by bytes, then by bits again.
    fn pad_bits(&mut self, offset: u64, pads: &mut u32) {
        let to_byte = self.at.next_multiple_of(8).min(offset) - self.at;
        self.unnamed_bits(to_byte);
        self.pad_bytes((offset - self.at) / 8, pads);
        self.unnamed_bits(offset - self.at);
    }

    fn unnamed_bits(&mut self, bits: u64) {
        if bits > 0 {
            self.line(&format!("unsigned char : {bits};"));
            self.at += bits;
        }
    }
}
