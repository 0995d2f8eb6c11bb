// SPDX-License-Identifier: Apache-2.0
//! One line of kallsyms: `ffffffffc0001000 t fuse_open	[fuse]`.

/// The fields of one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub address: u64,
    pub kind: u8,
    pub name: &'a str,
    pub kernel_module: Option<&'a str>,
}

/// Takes one line apart; `None` when it is not a symbol's line.
pub(super) fn parse_line(line: &[u8]) -> Option<Line<'_>> {
    let line = std::str::from_utf8(line).ok()?.trim_ascii_end();
    let (address, rest) = line.split_once(' ')?;
    let (kind, rest) = rest.split_once(' ')?;
    let &[kind] = kind.as_bytes() else { return None };
    let address = u64::from_str_radix(address, 16).ok()?;
    let (name, kernel_module) = match rest.split_once('\t') {
        Some((name, bracketed)) => (name, Some(bracketed.strip_prefix('[')?.strip_suffix(']')?)),
        None => (rest, None),
    };
    (!name.is_empty() && kind.is_ascii_alphabetic()).then_some(Line { address, kind, name, kernel_module })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_and_of_kernel_modules() {
        let line = parse_line(b"ffffffff816b89f0 T vfs_read").unwrap();
        assert_eq!(line, Line { address: 0xffff_ffff_816b_89f0, kind: b'T', name: "vfs_read", kernel_module: None });
        let line = parse_line(b"ffffffffc0001000 t fuse_open\t[fuse]\n").unwrap();
        assert_eq!((line.name, line.kernel_module), ("fuse_open", Some("fuse")));
    }

    #[test]
    fn anything_else_is_no_line() {
        let bad: [&[u8]; 9] = [
            b"",
            b"ffff",
            b"ffff t",
            b"ffff t ",
            b"xyz t name",
            b"ffff tt name",
            b"ffff 1 name",
            b"ffff t name\tfuse",
            b"ffff t \xff\xfe",
        ];
        for line in bad {
            assert_eq!(parse_line(line), None, "{line:?}");
        }
    }
}
