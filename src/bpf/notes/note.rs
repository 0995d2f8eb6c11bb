// SPDX-License-Identifier: Apache-2.0
//! The notes as the dialect writes them: pairs of strings, each ended by NUL, a map's name and what is asked.

/// What the C text asks of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It lives under this path of a BPF file system.
    Pin(String),
    /// Other objects of the process find it by its name.
    Public,
    /// The same, for objects of one name space.
    Shared,
    /// It is the one that another object made public.
    Extern,
    /// It holds maps like this one.
    Inner(String),
    /// Its keys are slots of a histogram.
    Histogram,
}

impl Note {
    fn parse(text: &str) -> Option<Note> {
        match text.split_once('=') {
            None if text == "public" => Some(Note::Public),
            None if text == "shared" => Some(Note::Shared),
            Some(("pin", path)) => Some(Note::Pin(path.to_owned())),
            Some(("inner", map)) => Some(Note::Inner(map.to_owned())),
            Some(("type", "extern")) => Some(Note::Extern),
            Some(("type", "histogram")) => Some(Note::Histogram),
            Some(("type", kind)) => {
                let (kind, map) = kind.split_once('$')?;
                ["array_of_maps", "hash_of_maps"].contains(&kind).then(|| Note::Inner(map.to_owned()))
            }
            _ => None,
        }
    }
}

/// The notes of a section, in order; what is no note (another `type=`) asks nothing of the host.
pub fn parse(section: &[u8]) -> Vec<(String, Note)> {
    let strings: Vec<&str> =
        section.split(|byte| *byte == 0).filter_map(|bytes| std::str::from_utf8(bytes).ok()).collect();
    let pairs = strings.chunks_exact(2).filter(|pair| !pair[0].is_empty());
    pairs.filter_map(|pair| Some((pair[0].to_owned(), Note::parse(pair[1])?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_note_is_read() {
        let section = b"a\0pin=/sys/fs/bpf/a\0b\0public\0c\0shared\0d\0type=extern\0e\0inner=x\0f\0type=hash_of_maps$y\0g\0type=hash\0h\0type=histogram\0";
        let notes = parse(section);
        let names: Vec<&str> = notes.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "d", "e", "f", "h"]);
        assert_eq!(notes[0].1, Note::Pin("/sys/fs/bpf/a".to_owned()));
        assert_eq!(notes[3].1, Note::Extern);
        assert_eq!(notes[4].1, Note::Inner("x".to_owned()));
        assert_eq!(notes[5].1, Note::Inner("y".to_owned()));
        assert_eq!(notes[6].1, Note::Histogram);
    }

    #[test]
    fn damaged_sections_give_no_notes() {
        assert_eq!(parse(b""), []);
        assert_eq!(parse(b"a"), []);
        assert_eq!(parse(b"\0\0\0"), []);
        assert_eq!(parse(&[0xff, 0, b'p', 0]), []);
    }
}
