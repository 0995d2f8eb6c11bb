// SPDX-License-Identifier: Apache-2.0
//! Enums, with exactly the kernel's size and signedness.

use super::closure::Level;
use super::naming::{Space, c_identifier};
use super::writer::Writer;
use crate::kernel::btf::{Enum, Enumerator};

/// Characters after which the next enumerator starts a new line.
const LINE_WIDTH: usize = 100;

impl Writer<'_> {
    /// `enum name`, defined if it was not yet. One without a name gets an internal one, so that it is written once.
    pub(super) fn enum_name(&mut self, e: Enum<'_>) -> String {
        let internal;
        let kernel_name = if e.name.is_empty() {
            internal = format!("__bpflua_enum_{}", e.id.0);
            &internal
        } else {
            e.name
        };
        if !e.name.is_empty() && self.closure.is_skipped(e.name) {
            return format!("enum {}", e.name);
        }
        let name = format!("enum {}", self.naming.name(Space::Tags, e.id, kernel_name, self.closure.own));
        if self.done.insert(e.id) {
            let definition = self.enum_definition(e, &name);
            self.head += &definition;
        }
        name
    }

    fn enum_definition(&mut self, e: Enum<'_>, name: &str) -> String {
        let is_signed = e.is_signed || !fits_unsigned(e);
        let mut values: Vec<String> =
            e.enumerators().filter_map(|value| self.enumerator(e, value, is_signed)).collect();
        let made_up = self.closure.absent.into_iter().flat_map(|absent| absent.values_of(name));
        values.extend(made_up.map(|value| format!("{value} = 0")));
        let underlying = underlying_type(e.size_bytes, is_signed, values.is_empty());
        if values.is_empty() {
            // One that is only declared would have no type in the debug information that LLVM asks for its sign.
            return format!("{name}{underlying} {{ __bpflua_none_{} }};\n", e.id.0);
        }
        let mut text = format!("{name}{underlying} {{");
        let mut column = LINE_WIDTH;
        for value in values {
            if column + value.len() > LINE_WIDTH {
                text += "\n\t";
                column = 0;
            } else {
                text.push(' ');
            }
            column += value.len() + 2;
            text += &value;
            text.push(',');
        }
        text + "\n};\n"
    }

    fn enumerator(&mut self, e: Enum<'_>, value: Enumerator<'_>, is_signed: bool) -> Option<String> {
        let name = value.name;
        let wanted = self.closure.level(e.id) == Some(Level::Whole) || self.closure.values.contains(name);
        if !wanted || self.closure.own.has_name(name) || self.closure.prelude.has_name(name) {
            return None;
        }
        let mut c_name = c_identifier(name);
        let mut number = 2;
        while !self.naming.take_enumerator(&c_name) {
            if !self.closure.everything {
                return None;
            }
            c_name = format!("{name}___{number}");
            number += 1;
        }
        self.note_name(&c_name);
        Some(match (is_signed, e.size_bytes) {
            // No literal is negative, so the lowest value has none.
            (true, 8) if value.value == i64::MIN => format!("{c_name} = -0x7fffffffffffffffL - 1"),
            (true, 8) => format!("{c_name} = {}", value.value),
            (true, _) => format!("{c_name} = {}", value.value as i32),
            (false, 8) => format!("{c_name} = {}UL", value.value as u64),
            (false, _) => format!("{c_name} = {}", value.value as u32),
        })
    }
}

/// Older type data has no sign: a value that does not fit in the size must be a negative one.
fn fits_unsigned(e: Enum<'_>) -> bool {
    e.size_bytes >= 4 || e.enumerators().all(|value| (value.value as u64) >> (8 * e.size_bytes.max(1)) == 0)
}

/// What follows the name. An ordinary enum of 4 bytes gets nothing, so that its constants stay `int`.
fn underlying_type(size_bytes: u32, is_signed: bool, is_empty: bool) -> &'static str {
    match (size_bytes, is_signed) {
        (1, false) => " : unsigned char",
        (1, true) => " : signed char",
        (2, false) => " : unsigned short",
        (2, true) => " : short",
        (8, false) => " : unsigned long",
        (8, true) => " : long",
        (_, true) => " : int",
        (_, false) if is_empty => " : unsigned int",
        (_, false) => "",
    }
}
