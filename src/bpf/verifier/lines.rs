// SPDX-License-Identifier: Apache-2.0
//! From an instruction to the line of the user's text that it was compiled from.

use std::ffi::CStr;

use crate::bpf::sys::prog::LineInfo;

/// Where in a BTF header the length of the header, and the place and length of the strings, are.
const HEADER_LENGTH: usize = 4;
const STRINGS_OFFSET: usize = 16;

/// Where the compiler puts the user's texts: before a relative name, and before an absolute one.
const TEXT_ROOTS: [(&str, &str); 2] = [("/bpflua/text/", ""), ("/bpflua/root/", "/")];

/// The line info of a program with the strings that it refers to.
#[derive(Clone, Copy, Debug)]
pub struct LineTable<'a> {
    lines: &'a [LineInfo],
    strings: &'a [u8],
}

/// A line of the user's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// The file as the user names it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; 0 when unknown.
    pub column: u32,
    /// The line itself.
    pub text: String,
}

impl<'a> LineTable<'a> {
    /// `btf` is the whole `.BTF` section of the object.
    pub fn new(lines: &'a [LineInfo], btf: &'a [u8]) -> Self {
        LineTable { lines, strings: strings(btf).unwrap_or_default() }
    }

    /// The line that an instruction comes from. What a header's inline function does is laid to the user's line before
    /// it, which called the function.
    pub fn find(&self, insn: u32) -> Option<SourceLine> {
        let before = self.lines.iter().rev().skip_while(|line| line.insn > insn).filter(|line| line.line() > 0);
        let in_text = before.clone().find(|line| !self.string(line.file_name_off).ends_with(".h"));
        let line = in_text.or_else(|| before.clone().next())?;
        Some(SourceLine {
            file: user_name(self.string(line.file_name_off)),
            line: line.line(),
            column: line.column(),
            text: self.string(line.line_off).trim().to_owned(),
        })
    }

    fn string(&self, offset: u32) -> &'a str {
        let bytes = self.strings.get(offset as usize..).unwrap_or_default();
        CStr::from_bytes_until_nul(bytes).ok().and_then(|text| text.to_str().ok()).unwrap_or_default()
    }
}

fn user_name(path: &str) -> String {
    let found = TEXT_ROOTS.iter().find_map(|(root, start)| Some((start, path.strip_prefix(root)?)));
    found.map_or_else(|| path.to_owned(), |(start, name)| format!("{start}{name}"))
}

fn strings(btf: &[u8]) -> Option<&[u8]> {
    let start = word(btf, HEADER_LENGTH)? + word(btf, STRINGS_OFFSET)?;
    let length = word(btf, STRINGS_OFFSET + 4)?;
    btf.get(start..start.checked_add(length)?)
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..at + 4)?;
    usize::try_from(u32::from_ne_bytes(word.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A BTF section with no types and these strings.
    pub fn btf_with(strings: &[u8]) -> Vec<u8> {
        let mut btf = vec![0x9f, 0xeb, 1, 0];
        for word in [24, 0, 0, 0, strings.len() as u32] {
            btf.extend(word.to_ne_bytes());
        }
        btf.extend(strings);
        btf
    }

    fn line(insn: u32, file_name_off: u32, line_off: u32, line: u32) -> LineInfo {
        LineInfo { insn, file_name_off, line_off, line_col: line << 10 | 5 }
    }

    #[test]
    fn headers_are_passed_over() {
        let btf = btf_with(b"\0a.lua\0x.h\0  foo();\0bar\0");
        let lines = [line(0, 1, 11, 7), line(3, 7, 20, 90), line(9, 1, 20, 8)];
        let table = LineTable::new(&lines, &btf);
        let found = table.find(5).unwrap();
        assert_eq!((found.file.as_str(), found.line, found.column, found.text.as_str()), ("a.lua", 7, 5, "foo();"));
        assert_eq!(table.find(9).unwrap().line, 8);
    }

    #[test]
    fn files_are_named_as_the_user_does() {
        assert_eq!(user_name("/bpflua/text/examples/a.lua"), "examples/a.lua");
        assert_eq!(user_name("/bpflua/root/tmp/a.lua"), "/tmp/a.lua");
        assert_eq!(user_name("b.c"), "b.c");
    }

    #[test]
    fn damaged_btf_gives_no_text() {
        let lines = [line(0, 1, 11, 7)];
        assert_eq!(LineTable::new(&lines, &[1, 2, 3]).find(0).unwrap().text, "");
        assert_eq!(LineTable::new(&[], &[]).find(0), None);
    }
}
