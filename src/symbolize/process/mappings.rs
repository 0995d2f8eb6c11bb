// SPDX-License-Identifier: Apache-2.0
//! `/proc/PID/maps`, taken apart.

use std::ffi::OsString;
use std::io::{self, BufRead};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// What stands behind a part of an address space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backing {
    /// A file.
    File {
        /// Its path as the process sees it.
        path: PathBuf,
        /// Whether nothing has this path any more, or something else.
        deleted: bool,
        /// Its inode's number.
        inode: u64,
    },
    /// The kernel's vDSO.
    Vdso,
    /// Memory: a heap, a stack, code that a JIT compiler made.
    Memory,
}

/// A part of an address space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its first address.
    pub start: u64,
    /// The address behind its last.
    pub end: u64,
    /// Where it begins in the file.
    pub offset: u64,
    /// Whether it may be run.
    pub executable: bool,
    /// What it shows.
    pub backing: Backing,
}

impl Mapping {
    /// The place in the file of an address.
    pub fn file_offset(&self, address: u64) -> u64 {
        address - self.start + self.offset
    }
}

/// An address space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mappings(Vec<Mapping>);

impl Mappings {
    /// Reads the lines of `/proc/PID/maps`; what is no such line is passed over.
    pub fn parse(mut reader: impl BufRead) -> io::Result<Self> {
        let mut mappings = Vec::new();
        let mut line = Vec::with_capacity(256);
        while reader.read_until(b'\n', &mut line)? > 0 {
            mappings.extend(parse_line(line.strip_suffix(b"\n").unwrap_or(&line)));
            line.clear();
        }
        Ok(Mappings(mappings))
    }

    /// What is mapped at an address.
    pub fn at(&self, address: u64) -> Option<&Mapping> {
        self.0.get(self.number_at(address)?)
    }

    /// The number of the mapping at an address, counted from 0.
    pub fn number_at(&self, address: u64) -> Option<usize> {
        let number = self.0.partition_point(|mapping| mapping.start <= address).checked_sub(1)?;
        (address < self.0[number].end).then_some(number)
    }

    /// The mapping of this number.
    pub fn get(&self, number: usize) -> Option<&Mapping> {
        self.0.get(number)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none, as in a kernel thread.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order of their addresses.
    pub fn iter(&self) -> impl Iterator<Item = &Mapping> {
        self.0.iter()
    }
}

/// `55f4a95cb000-55f4a95cf000 r-xp 00002000 fe:00 41445      /usr/bin/cat`
fn parse_line(line: &[u8]) -> Option<Mapping> {
    let mut rest = line;
    let mut word = || {
        let start = rest.iter().position(|byte| *byte != b' ')?;
        let end = rest[start..].iter().position(|byte| *byte == b' ').map_or(rest.len(), |length| start + length);
        let word = std::str::from_utf8(&rest[start..end]).ok()?;
        rest = &rest[end..];
        Some(word)
    };
    let (start, end) = word()?.split_once('-')?;
    let executable = word()?.contains('x');
    let offset = u64::from_str_radix(word()?, 16).ok()?;
    let _device = word()?;
    let inode = word()?.parse().ok()?;
    let path = &rest[rest.iter().position(|byte| *byte != b' ').unwrap_or(rest.len())..];
    Some(Mapping {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        offset,
        executable,
        backing: backing(path, inode),
    })
}

fn backing(path: &[u8], inode: u64) -> Backing {
    match path {
        b"[vdso]" => Backing::Vdso,
        // `//anon`, `/dev/zero` and System V's memory have inodes and are no files that can be opened.
        [b'/', ..] if inode != 0 && !path.starts_with(b"/dev/zero") && !path.starts_with(b"/SYSV") => {
            let kept = path.strip_suffix(b" (deleted)");
            let path = unescape(kept.unwrap_or(path));
            Backing::File { path: PathBuf::from(OsString::from_vec(path)), deleted: kept.is_some(), inode }
        }
        _ => Backing::Memory,
    }
}

/// The kernel writes a line feed in a path as `\012`, and nothing else so.
fn unescape(path: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&first, others)) = rest.split_first() {
        if let Some(others) = rest.strip_prefix(b"\\012") {
            plain.push(b'\n');
            rest = others;
        } else {
            plain.push(first);
            rest = others;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
00400000-00401000 r--p 00000000 00:29 47459                              /tmp/a test/test
00401000-00402000 r-xp 00001000 00:29 47459                              /tmp/a test/test
55f4aa379000-55f4aa39a000 rw-p 00000000 00:00 0                          [heap]
7f2321e00000-7f2321e37000 r-xp 00037000 00:20 1808269                    /usr/lib64/libx.so.3 (deleted)
7f2322000000-7f2322001000 r-xp 00000000 00:01 4                          /memfd:doublemapper (deleted)
7f2323000000-7f2323001000 rwxp 00000000 00:00 0
7f2323001000-7f2323002000 rw-s 00000000 00:01 9                          /dev/zero (deleted)
7ffd5a5f2000-7ffd5a5f4000 r-xp 00000000 00:00 0                          [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
";

    fn file(path: &str, deleted: bool, inode: u64) -> Backing {
        Backing::File { path: PathBuf::from(path), deleted, inode }
    }

    #[test]
    fn real_lines() {
        let mappings = Mappings::parse(TEXT.as_bytes()).unwrap();
        assert_eq!(mappings.iter().count(), 9);
        let at = |address| mappings.at(address).map(|mapping| &mapping.backing);
        assert_eq!(at(0x401fff), Some(&file("/tmp/a test/test", false, 47459)));
        assert_eq!(mappings.at(0x401010).unwrap().file_offset(0x401010), 0x1010);
        assert_eq!(at(0x402000), None);
        assert_eq!(at(0x3fffff), None);
        assert_eq!(at(0x55f4_aa37_9000), Some(&Backing::Memory));
        assert_eq!(at(0x7f23_21e0_0000), Some(&file("/usr/lib64/libx.so.3", true, 1_808_269)));
        assert_eq!(at(0x7f23_2200_0000), Some(&file("/memfd:doublemapper", true, 4)));
        assert_eq!(at(0x7f23_2300_0000), Some(&Backing::Memory));
        assert_eq!(at(0x7f23_2300_1000), Some(&Backing::Memory));
        assert_eq!(at(0x7ffd_5a5f_2010), Some(&Backing::Vdso));
        assert_eq!(at(u64::MAX), None);
    }

    #[test]
    fn odd_lines() {
        let text = b"junk\n\n1000-2000 r-xp 0 00:29 7 /a\\012b\\x\n3000-zz r-xp 0 0 0\n4000-5000 r-xp 0 00:00 0\xff\n";
        let mappings = Mappings::parse(&text[..]).unwrap();
        assert_eq!(mappings.at(0x1000).unwrap().backing, file("/a\nb\\x", false, 7));
        assert_eq!(mappings.iter().count(), 1);
        for end in 0..TEXT.len() {
            assert!(Mappings::parse(&TEXT.as_bytes()[..end]).is_ok());
        }
    }

    #[test]
    fn our_own() {
        let text = std::fs::read("/proc/self/maps").unwrap();
        let mappings = Mappings::parse(&text[..]).unwrap();
        let here = our_own as *const () as u64;
        let Backing::File { path, .. } = &mappings.at(here).unwrap().backing else { panic!("no file") };
        assert_eq!(*path, std::env::current_exe().unwrap());
    }
}
