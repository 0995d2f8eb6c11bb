// SPDX-License-Identifier: Apache-2.0
//! The `format` file of a tracepoint: which fields its records have, and where.

use crate::error::{Error, Result};
use std::io::BufRead;

/// No record is near this long; what says so is not a format.
const RECORD_LIMIT_BYTES: u32 = 1 << 20;

/// A field that is not itself in the record but says where in it the data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataLocation {
    /// `__data_loc`: the lower half is the offset from the start of the record, the upper half the length.
    FromRecord,
    /// `__rel_loc`: as before, from the end of this field.
    FromField,
}

/// One field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracepointField {
    /// Its name.
    pub name: String,
    /// Its C type; for an array or a `__data_loc` that of an element.
    pub c_type: String,
    /// Where it begins in the record, in bytes.
    pub offset: u32,
    /// How long it is, in bytes.
    pub size: u32,
    /// Whether the kernel calls it signed.
    pub signed: bool,
    /// The number of elements of an array, also where the format names a constant in the place of the number
    /// (`char comm[TASK_COMM_LEN]`); `None` for what is no array. A variable end (`args[]`) has 0.
    pub array_len: Option<u32>,
    /// Set when the data is elsewhere in the record.
    pub data_loc: Option<DataLocation>,
}

/// What the kernel says of a tracepoint's records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracepointFormat {
    /// The category (`sched`).
    pub category: String,
    /// The name (`sched_switch`).
    pub name: String,
    /// The number under which perf knows it.
    pub id: u32,
    /// The fields in order, those that all tracepoints have (`common_…`) first.
    pub fields: Vec<TracepointField>,
}

impl TracepointFormat {
    /// Reads a `format` file.
    pub fn parse(category: &str, reader: impl BufRead) -> Result<Self> {
        let mut format =
            TracepointFormat { category: category.to_owned(), name: String::new(), id: 0, fields: Vec::new() };
        let what = || format!("cannot read the format of a tracepoint in `{category}`");
        for (number, line) in reader.lines().enumerate() {
            let line = line.map_err(|err| Error::io(what(), &err))?;
            let malformed = || Error::machine(what(), format!("line {} is malformed: `{line}`", number + 1));
            if let Some(name) = line.strip_prefix("name:") {
                format.name = name.trim().to_owned();
            } else if let Some(id) = line.strip_prefix("ID:") {
                format.id = id.trim().parse().map_err(|_| malformed())?;
            } else if let Some(field) = line.trim_start().strip_prefix("field:") {
                format.fields.push(parse_field(field).ok_or_else(malformed)?);
            } else if line.starts_with("print fmt:") {
                break;
            }
        }
        if format.name.is_empty() {
            return Err(Error::machine(what(), "it has no name"));
        }
        Ok(format)
    }

    /// The fields of this tracepoint alone, without those that all tracepoints have.
    pub fn own_fields(&self) -> impl Iterator<Item = &TracepointField> {
        self.fields.iter().filter(|field| !field.name.starts_with("common_"))
    }

    /// The field of this name.
    pub fn find_field(&self, name: &str) -> Option<&TracepointField> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// `char comm[16];	offset:8;	size:16;	signed:0;`
fn parse_field(text: &str) -> Option<TracepointField> {
    let mut parts = text.split(';').map(str::trim);
    let declaration = parts.next()?;
    let (mut offset, mut size, mut signed) = (None, None, false);
    for part in parts {
        match part.split_once(':') {
            Some(("offset", number)) => offset = Some(number.trim().parse::<u32>().ok()?),
            Some(("size", number)) => size = Some(number.trim().parse::<u32>().ok()?),
            Some(("signed", flag)) => signed = flag.trim() == "1",
            _ => {}
        }
    }
    let (offset, size) = (offset?, size?);
    if offset > RECORD_LIMIT_BYTES || size > RECORD_LIMIT_BYTES {
        return None;
    }
    let declared = parse_declaration(declaration)?;
    let array_len = declared.array.map(|count| array_len(count, &declared.c_type, size));
    let (name, data_loc) = (declared.name.to_owned(), declared.data_loc);
    Some(TracepointField { name, c_type: declared.c_type, offset, size, signed, array_len, data_loc })
}

struct Declaration<'a> {
    name: &'a str,
    c_type: String,
    /// The text between the brackets.
    array: Option<&'a str>,
    data_loc: Option<DataLocation>,
}

/// `unsigned long args[6]`, `const char * filename`, `__data_loc char[] name`.
fn parse_declaration(text: &str) -> Option<Declaration<'_>> {
    let (text, data_loc) = match text.split_once(' ') {
        Some(("__data_loc", rest)) => (rest, Some(DataLocation::FromRecord)),
        Some(("__rel_loc", rest)) => (rest, Some(DataLocation::FromField)),
        _ => (text, None),
    };
    let (text, array) = match text.strip_suffix(']').and_then(|open| open.split_once('[')) {
        Some((text, count)) => (text, Some(count)),
        None => (text, None),
    };
    let name_start = text.trim_end().rfind([' ', '*', '\t'])? + 1;
    let (c_type, name) = text.trim_end().split_at(name_start);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let c_type = clean_type(c_type.trim().trim_end_matches("[]"));
    // The brackets of a `__data_loc` are part of its type: the record holds one number.
    let array = array.filter(|_| data_loc.is_none());
    (!c_type.is_empty()).then_some(Declaration { name, c_type, array, data_loc })
}

/// Takes out of a type what only the kernel's own compiler and checkers read.
fn clean_type(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(start) = text.find("__attribute__") {
        let end = text[start..].find('(').map_or(text.len(), |open| closing_parenthesis(&text, start + open));
        text.replace_range(start..end, "");
    }
    let annotations = ["__user", "__kernel", "__rcu", "__percpu", "__iomem", "__bitwise", "__seg_gs", "__seg_fs"];
    let words = text.split_whitespace().filter(|word| !annotations.contains(word));
    words.collect::<Vec<_>>().join(" ")
}

/// Where what opens at `open` has been closed; the end of the text when it never is.
fn closing_parenthesis(text: &str, open: usize) -> usize {
    let mut depth = 0_u32;
    for (at, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            b'(' => depth += 1,
            b')' if depth <= 1 => return at + 1,
            b')' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// How many elements an array has: the number in the brackets, or what the size says when they hold a name.
fn array_len(count: &str, c_type: &str, size: u32) -> u32 {
    let product = count.split("][").map(|dimension| dimension.trim().parse::<u32>().ok());
    let product = product.reduce(|a, b| a?.checked_mul(b?)).flatten();
    product.unwrap_or_else(|| size / super::c_struct::base_size(c_type).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWITCH: &str = include_str!("../../../tests/fixtures/tracefs/events/sched/sched_switch/format");

    fn field(text: &str) -> TracepointField {
        parse_field(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_real_format() {
        let format = TracepointFormat::parse("sched", SWITCH.as_bytes()).unwrap();
        assert_eq!((format.name.as_str(), format.id, format.fields.len()), ("sched_switch", 372, 11));
        let comm = format.find_field("prev_comm").unwrap();
        assert_eq!((comm.c_type.as_str(), comm.offset, comm.size, comm.array_len), ("char", 8, 16, Some(16)));
        assert_eq!(format.own_fields().next().unwrap().name, "prev_comm");
        assert!(format.find_field("prev_state").unwrap().signed);
    }

    #[test]
    fn declarations_of_all_kinds() {
        let name = field("__data_loc char[] name;\toffset:12;\tsize:4;\tsigned:0;");
        assert_eq!(
            (name.c_type.as_str(), name.data_loc, name.array_len),
            ("char", Some(DataLocation::FromRecord), None)
        );
        let mask = field("__rel_loc cpumask_t mask; offset:8; size:4;");
        assert_eq!((mask.c_type.as_str(), mask.data_loc), ("cpumask_t", Some(DataLocation::FromField)));
        let comm = field("char comm[TASK_COMM_LEN]; offset:8; size:16; signed:0;");
        assert_eq!(comm.array_len, Some(16));
        let args = field("unsigned long args[SIX]; offset:16; size:48; signed:0;");
        assert_eq!(args.array_len, Some(6));
        assert_eq!(field("u8 m[2][3]; offset:8; size:6; signed:0;").array_len, Some(6));
        assert_eq!(field("unsigned long args[]; offset:24; size:0; signed:0;").array_len, Some(0));
        let path = field("const char __attribute__((btf_type_tag(\"user\"))) * path; offset:8; size:8; signed:0;");
        assert_eq!((path.name.as_str(), path.c_type.as_str()), ("path", "const char *"));
        assert_eq!(field("const char __attribute__((x(1) * path; offset:8; size:8;").c_type, "const char");
        assert_eq!(field("void __seg_gs *ptr; offset:8; size:8; signed:0;").c_type, "void *");
    }

    #[test]
    fn malformed_fields_are_errors_with_their_line() {
        for bad in ["", "int", "int x", "int x; offset:8;", "int x; offset:a; size:4;", "int 9; offset:8; size:4;"] {
            assert_eq!(parse_field(bad), None, "{bad}");
        }
        assert_eq!(parse_field("int x; offset:4294967295; size:4; signed:0;"), None);
        let err = TracepointFormat::parse("c", &b"name: x\nID: 1\n\tfield:int y;\n"[..]).unwrap_err();
        assert!(err.to_string().contains("line 3 is malformed: `\tfield:int y;`"), "{err}");
        assert!(TracepointFormat::parse("c", &b""[..]).is_err());
        assert!(TracepointFormat::parse("c", &b"name: x\nID: -1\n"[..]).is_err());
        assert!(TracepointFormat::parse("c", &b"name: \xff\n"[..]).is_err());
    }

    #[test]
    fn any_truncation_is_an_error_or_a_format() {
        for end in 0..SWITCH.len() {
            if let Ok(format) = TracepointFormat::parse("sched", &SWITCH.as_bytes()[..end]) {
                format.c_struct();
            }
        }
    }
}
