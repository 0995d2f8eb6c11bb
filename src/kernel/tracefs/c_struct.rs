// SPDX-License-Identifier: Apache-2.0
//! The C struct that a `TRACEPOINT_PROBE` sees as `args`, written from a tracepoint's format.
//!
//! As in bcc: `u64 __do_not_use__` covers what all tracepoints begin with, `__data_loc` fields are called
//! `data_loc_<field>`, gaps are filled with `__pad_<offset>`, and a field takes a type as wide as the kernel says it is
//! (system call tracepoints store an `int` in eight bytes). Scalars of the kernel's own types become `u32`, `s64` and
//! so on, so that the struct needs no types but those pointed to.

use super::format::{DataLocation, TracepointField, TracepointFormat};
use std::fmt::Write;

/// What `__do_not_use__` covers, in bytes.
const HEADER_BYTES: u32 = 8;

/// Types that any C text can use: name, size in bytes where it is the same on all 64-bit machines, whether signed.
const BASE_TYPES: [(&str, u32, bool); 32] = [
    ("char", 1, true),
    ("signed char", 1, true),
    ("unsigned char", 1, false),
    ("bool", 1, false),
    ("short", 2, true),
    ("unsigned short", 2, false),
    ("int", 4, true),
    ("unsigned", 4, false),
    ("unsigned int", 4, false),
    ("long", 8, true),
    ("unsigned long", 8, false),
    ("long long", 8, true),
    ("unsigned long long", 8, false),
    ("size_t", 8, false),
    ("ssize_t", 8, true),
    ("pid_t", 4, true),
    ("u8", 1, false),
    ("s8", 1, true),
    ("u16", 2, false),
    ("s16", 2, true),
    ("u32", 4, false),
    ("s32", 4, true),
    ("u64", 8, false),
    ("s64", 8, true),
    ("__u8", 1, false),
    ("__s8", 1, true),
    ("__u16", 2, false),
    ("__s16", 2, true),
    ("__u32", 4, false),
    ("__s32", 4, true),
    ("__u64", 8, false),
    ("__s64", 8, true),
];

fn base_type(c_type: &str) -> Option<(u32, bool)> {
    let c_type = c_type.strip_prefix("const ").unwrap_or(c_type);
    BASE_TYPES.iter().find(|(name, ..)| *name == c_type).map(|&(_, size, signed)| (size, signed))
}

/// The size in bytes of a type that is the same on all machines we know.
pub(super) fn base_size(c_type: &str) -> Option<u32> {
    base_type(c_type).map(|(size, _)| size)
}

impl TracepointFormat {
    /// The name of [`c_struct`](Self::c_struct)'s struct: `tracepoint__sched__sched_switch`.
    pub fn struct_name(&self) -> String {
        format!("tracepoint__{}__{}", self.category, self.name)
    }

    /// The struct, as C text.
    pub fn c_struct(&self) -> String {
        let mut text = format!("struct {} {{\n\tu64 __do_not_use__;\n", self.struct_name());
        let mut end = HEADER_BYTES;
        for field in self.own_fields() {
            // A field inside one that is written already cannot be given a place of its own.
            if field.offset < end {
                continue;
            }
            if field.offset > end {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "\tchar __pad_{end}[{}];", field.offset - end);
            }
            let _ = writeln!(text, "\t{};", member(field));
            end = field.offset + field.size;
        }
        text + "};\n"
    }
}

/// One member, without the semicolon.
fn member(field: &TracepointField) -> String {
    let name = &field.name;
    match field.data_loc {
        Some(DataLocation::FromRecord) => return format!("int data_loc_{name}"),
        Some(DataLocation::FromField) => return format!("int rel_loc_{name}"),
        None => {}
    }
    let Some(count) = field.array_len else { return scalar(field) };
    let element_size = field.size.checked_div(count).filter(|size| size * count == field.size);
    match element_size.and_then(|size| element_type(&field.c_type, size, field.signed)) {
        Some(c_type) if count > 0 => format!("{}{name}[{count}]", spaced(&c_type)),
        _ => format!("char {name}[{}]", field.size),
    }
}

fn scalar(field: &TracepointField) -> String {
    let name = &field.name;
    match element_type(&field.c_type, field.size, field.signed) {
        // The compiler would move a member up to its alignment; records are not always so kind.
        Some(c_type) if !field.offset.is_multiple_of(alignment(field)) => {
            format!("{}{name} __attribute__((packed))", spaced(&c_type))
        }
        Some(c_type) => format!("{}{name}", spaced(&c_type)),
        None => format!("char {name}[{}]", field.size),
    }
}

fn alignment(field: &TracepointField) -> u32 {
    if field.size.is_power_of_two() { field.size.min(8) } else { 1 }
}

/// A type of exactly `size` bytes that means what `c_type` means; `None` when there is none.
fn element_type(c_type: &str, size: u32, signed: bool) -> Option<String> {
    let pointer = c_type.ends_with('*') && !c_type.contains('(');
    let record = c_type.starts_with("struct ") || c_type.starts_with("union ");
    let known = base_type(c_type);
    if (pointer && size == 8) || (record && !pointer && size > 0) || known.is_some_and(|(bytes, _)| bytes == size) {
        return Some(c_type.to_owned());
    }
    let signed = known.map_or(signed, |(_, signed)| signed);
    matches!(size, 1 | 2 | 4 | 8).then(|| format!("{}{}", if signed { "s" } else { "u" }, size * 8))
}

/// A type as it stands before a name.
fn spaced(c_type: &str) -> String {
    if c_type.ends_with('*') { c_type.to_owned() } else { format!("{c_type} ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c_struct(category: &str, name: &str) -> String {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tracefs/events");
        let path = format!("{root}/{category}/{name}/format");
        let text = std::fs::read(path).unwrap();
        TracepointFormat::parse(category, text.as_slice()).unwrap().c_struct()
    }

    #[test]
    fn system_call_arguments_are_widened() {
        let expected = "\
struct tracepoint__syscalls__sys_enter_openat {
\tu64 __do_not_use__;
\tint __syscall_nr;
\tchar __pad_12[4];
\ts64 dfd;
\tconst char *filename;
\ts64 flags;
\tu64 mode;
};
";
        assert_eq!(c_struct("syscalls", "sys_enter_openat"), expected);
    }

    #[test]
    fn data_locations_and_arrays() {
        let handler = c_struct("irq", "irq_handler_entry");
        assert!(handler.contains("\tint irq;\n\tint data_loc_name;\n"), "{handler}");
        let switch = c_struct("sched", "sched_switch");
        assert!(switch.contains("\tchar prev_comm[16];\n\tpid_t prev_pid;\n"), "{switch}");
        let probe = c_struct("tcp", "tcp_probe");
        assert!(probe.contains("\t__u8 saddr[28];\n"), "{probe}");
        assert!(probe.contains("\t__u16 family;\n\tchar __pad_70[2];\n\t__u32 mark;\n"), "{probe}");
        assert!(c_struct("ftrace", "function").contains("\tchar args[0];\n"));
    }

    fn one(declaration: &str, offset: u32, size: u32, signed: u32) -> String {
        let text = format!("name: e\n\tfield:{declaration};\toffset:{offset};\tsize:{size};\tsigned:{signed};\n");
        TracepointFormat::parse("c", text.as_bytes()).unwrap().c_struct()
    }

    #[test]
    fn types_of_the_kernel_become_plain_numbers() {
        assert!(one("dev_t dev", 8, 4, 0).contains("\tu32 dev;\n"));
        assert!(one("enum zone_type zone", 8, 4, 0).contains("\tu32 zone;\n"));
        assert!(one("loff_t pos", 8, 8, 1).contains("\ts64 pos;\n"));
        assert!(one("unsigned long x", 8, 4, 0).contains("\tu32 x;\n"));
        assert!(one("kuid_t ids[3]", 8, 12, 0).contains("\tu32 ids[3];\n"));
        assert!(one("struct list_head l", 8, 16, 0).contains("\tstruct list_head l;\n"));
        assert!(one("some_t odd", 8, 12, 0).contains("\tchar odd[12];\n"));
        assert!(one("odd_t odd[ODD]", 8, 12, 0).contains("\tu8 odd[12];\n"));
        assert!(one("void (*f)(int) fn", 8, 8, 0).contains("\tu64 fn;\n"));
    }

    #[test]
    fn layout_is_kept_whatever_the_format_says() {
        assert!(one("u64 x", 12, 8, 0).contains("\tchar __pad_8[4];\n\tu64 x __attribute__((packed));\n"));
        let overlap = "name: e\n\tfield:int a;\toffset:8;\tsize:8;\n\tfield:int b;\toffset:12;\tsize:4;\n";
        let text = TracepointFormat::parse("c", overlap.as_bytes()).unwrap().c_struct();
        assert!(text.contains("\ts64 a;\n") && !text.contains(" b;"), "{text}");
        assert!(one("int x", 1 << 20, 4, 1).contains("[1048568]"));
    }
}
