// SPDX-License-Identifier: Apache-2.0
//! Perf maps: the names that a JIT compiler tells of the code it makes, `/tmp/perf-PID.map`, a line for each function:
//! `START SIZE name`, the numbers in hexadecimal.
//!
//! The file grows while the process runs, and later lines hold where they overlap earlier ones: the compiler may use the
//! memory of code that it threw away. So it is read on from where the last reading ended.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A map of more functions than this is cut off: some 100 bytes each are kept.
const MOST_FUNCTIONS: usize = 1 << 20;

#[derive(Debug, PartialEq, Eq)]
struct Jitted {
    end: u64,
    name: Box<str>,
}

/// The functions of one perf map.
#[derive(Debug, Default)]
pub(super) struct PerfMap {
    /// By their starts; none overlaps another.
    functions: BTreeMap<u64, Jitted>,
    /// The file that was read, and how far.
    source: Option<(PathBuf, u64, u64)>,
}

impl PerfMap {
    /// The function at an address: its name, and the address's distance from its start.
    pub(super) fn find(&self, address: u64) -> Option<(&str, u64)> {
        let (start, function) = self.functions.range(..=address).next_back()?;
        (address < function.end).then_some((&*function.name, address - start))
    }

    /// The start of the function of that name.
    pub(super) fn address_of(&self, name: &str) -> Option<u64> {
        self.functions.iter().find(|(_, function)| &*function.name == name).map(|(start, _)| *start)
    }

    /// The file it was read from.
    pub(super) fn path(&self) -> Option<&Path> {
        self.source.as_ref().map(|(path, ..)| path.as_path())
    }

    /// Reads on in the first of these files that can be opened. Gives whether there was something new.
    pub(super) fn read_on(&mut self, paths: &[PathBuf]) -> bool {
        let Some((path, file)) = paths.iter().find_map(|path| Some((path, File::open(path).ok()?))) else {
            return false;
        };
        let Ok(facts) = file.metadata() else { return false };
        let known = self
            .source
            .as_ref()
            .filter(|(known, inode, read)| known == path && *inode == facts.ino() && *read <= facts.len());
        let from = known.map_or(0, |(_, _, read)| *read);
        if known.is_none() {
            // Another file, or one that was begun anew.
            self.functions.clear();
        } else if from == facts.len() {
            return false;
        }
        let read = self.read_from(file, from).unwrap_or(0);
        self.source = Some((path.clone(), facts.ino(), from + read));
        read > 0
    }

    fn read_from(&mut self, mut file: File, from: u64) -> io::Result<u64> {
        file.seek(SeekFrom::Start(from))?;
        self.add(BufReader::with_capacity(1 << 16, file))
    }

    /// Adds the functions of whole lines. Gives how many bytes they were; the last line may still be in the writing.
    fn add(&mut self, mut reader: impl BufRead) -> io::Result<u64> {
        let mut read = 0;
        let mut line = Vec::with_capacity(256);
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line)?;
            let Some(whole) = line.strip_suffix(b"\n") else { return Ok(read) };
            read += length as u64;
            if let Some((start, size, name)) = parse_line(whole)
                && self.functions.len() < MOST_FUNCTIONS
            {
                self.put(start, start.saturating_add(size.max(1)), name);
            }
        }
    }

    fn put(&mut self, start: u64, end: u64, name: String) {
        // What began before and reaches into it is cut off, what began in it is gone.
        if let Some((_, before)) = self.functions.range_mut(..start).next_back() {
            before.end = before.end.min(start);
        }
        let inside: Vec<u64> = self.functions.range(start..end).map(|(start, _)| *start).collect();
        inside.iter().for_each(|start| drop(self.functions.remove(start)));
        self.functions.insert(start, Jitted { end, name: name.into_boxed_str() });
    }
}

fn parse_line(line: &[u8]) -> Option<(u64, u64, String)> {
    let text = String::from_utf8_lossy(line);
    let (start, rest) = text.trim_end_matches('\r').split_once([' ', '\t'])?;
    let (size, name) = rest.trim_start().split_once([' ', '\t'])?;
    let number = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    let name = name.trim_start();
    (!name.is_empty()).then_some((number(start)?, number(size)?, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &str) -> PerfMap {
        let mut map = PerfMap::default();
        map.add(text.as_bytes()).unwrap();
        map
    }

    #[test]
    fn lines() {
        let map =
            map("1000 b py::f:<frozen x y>\n0x1010 0x10 LazyCompile:~g\n1020 0 stub\nzz 1 bad\n1030 5\n1040 5 \n50\n");
        assert_eq!(map.find(0x100a), Some(("py::f:<frozen x y>", 0xa)));
        assert_eq!(map.find(0x100b), None);
        assert_eq!(map.find(0x1011), Some(("LazyCompile:~g", 1)));
        assert_eq!(map.find(0x1020), Some(("stub", 0)));
        assert_eq!(map.find(0x1021), None);
        assert_eq!(map.functions.len(), 3);
        assert_eq!(map.address_of("stub"), Some(0x1020));
    }

    #[test]
    fn later_lines_hold() {
        let map = map("1000 100 old\n1100 100 older\n1080 100 new\n");
        assert_eq!(map.find(0x107f), Some(("old", 0x7f)));
        assert_eq!(map.find(0x1080), Some(("new", 0)));
        assert_eq!(map.find(0x117f), Some(("new", 0xff)));
        assert_eq!(map.find(0x1180), None, "the start of `older` is overwritten, so all of it is gone");
    }

    #[test]
    fn the_file_is_read_on() {
        let path = std::env::temp_dir().join(format!("bpflua-perf-map-test-{}", std::process::id()));
        let paths = [PathBuf::from("/no such file"), path.clone()];
        let mut map = PerfMap::default();
        assert!(!map.read_on(&paths));
        std::fs::write(&path, "1000 10 one\n2000 10 tw").unwrap();
        assert!(map.read_on(&paths));
        assert_eq!((map.find(0x1000), map.find(0x2000)), (Some(("one", 0)), None));
        std::fs::write(&path, "1000 10 one\n2000 10 two\n").unwrap();
        assert!(map.read_on(&paths));
        assert!(!map.read_on(&paths));
        assert_eq!(map.find(0x2000), Some(("two", 0)));
        std::fs::write(&path, "3000 10 other\n").unwrap();
        assert!(map.read_on(&paths));
        assert_eq!((map.find(0x1000), map.find(0x3001)), (None, Some(("other", 1))));
        std::fs::remove_file(&path).unwrap();
    }
}
