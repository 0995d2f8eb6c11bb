// SPDX-License-Identifier: Apache-2.0
//! The notes of `.note.stapsdt`, from bytes.
//!
//! The format is that of ELF notes with name `stapsdt` and type 3; the content is three addresses (the probe, the
//! `.stapsdt.base` section at link time, the semaphore or 0) and three strings (provider, name, arguments). See
//! <https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation>.

const OWNER: &[u8] = b"stapsdt\0";
const KIND: u32 = 3;

/// A note as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The probe's address, as the file was linked.
    pub location: u64,
    /// Where `.stapsdt.base` was when it was linked.
    pub base: u64,
    /// The counter that says whether anybody traces the probe; 0 when it has none.
    pub semaphore: u64,
    /// The provider's name.
    pub provider: String,
    /// The probe's name.
    pub name: String,
    /// The arguments' string.
    pub arguments: String,
}

/// How numbers stand in the file.
#[derive(Clone, Copy, Debug)]
pub struct Encoding {
    /// The most significant byte first.
    pub big_endian: bool,
    /// Addresses of 8 bytes, not 4.
    pub is_64: bool,
}

/// The notes of a section. What is no USDT note, or is cut off, is left out.
pub fn parse(section: &[u8], encoding: Encoding) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut bytes = Bytes { rest: section, encoding };
    while let Some((owner, kind, content)) = bytes.note() {
        if owner == OWNER && kind == KIND {
            notes.extend(Bytes { rest: content, encoding }.content());
        }
    }
    notes
}

struct Bytes<'a> {
    rest: &'a [u8],
    encoding: Encoding,
}

impl<'a> Bytes<'a> {
    /// Owner, type and content of the next note.
    fn note(&mut self) -> Option<(&'a [u8], u32, &'a [u8])> {
        let (owner, content) = (self.word()? as usize, self.word()? as usize);
        let kind = self.word()?;
        Some((self.padded(owner)?, kind, self.padded(content)?))
    }

    fn content(mut self) -> Option<Note> {
        Some(Note {
            location: self.address()?,
            base: self.address()?,
            semaphore: self.address()?,
            provider: self.string()?,
            name: self.string()?,
            // The last string may lack its end.
            arguments: self.string().unwrap_or_else(|| String::from_utf8_lossy(self.rest).into_owned()),
        })
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// A field that is padded to four bytes; the last one of a section need not be.
    fn padded(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.take(count)?;
        let padding = count.next_multiple_of(4) - count;
        self.rest = self.rest.get(padding..).unwrap_or_default();
        Some(taken)
    }

    fn word(&mut self) -> Option<u32> {
        let bytes: [u8; 4] = self.take(4)?.try_into().ok()?;
        Some(if self.encoding.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn address(&mut self) -> Option<u64> {
        if !self.encoding.is_64 {
            return self.word().map(u64::from);
        }
        let bytes: [u8; 8] = self.take(8)?.try_into().ok()?;
        Some(if self.encoding.big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }

    fn string(&mut self) -> Option<String> {
        let end = self.rest.iter().position(|byte| *byte == 0)?;
        let text = String::from_utf8_lossy(self.take(end)?).into_owned();
        self.take(1)?;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NATIVE: Encoding = Encoding { big_endian: false, is_64: true };

    fn note(owner: &[u8], kind: u32, content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [owner.len() as u32, content.len() as u32, kind] {
            bytes.extend(word.to_le_bytes());
        }
        for field in [owner, content] {
            bytes.extend(field);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    fn content(strings: &[u8]) -> Vec<u8> {
        let mut bytes: Vec<u8> = [0x1234_u64, 0x2000, 0x3000].iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn notes_among_others() {
        let mut section = note(b"GNU\0", 3, b"0123456789abcdef0123");
        section.extend(note(OWNER, KIND, &content(b"python\0gc__start\0-4@%eax\0")));
        section.extend(note(OWNER, 7, &content(b"a\0b\0\0")));
        section.extend(note(OWNER, KIND, &content(b"p\0q\0\0")));
        let notes = parse(&section, NATIVE);
        assert_eq!(notes.len(), 2);
        assert_eq!((notes[0].location, notes[0].base, notes[0].semaphore), (0x1234, 0x2000, 0x3000));
        let strings = [&notes[0].provider, &notes[0].name, &notes[0].arguments];
        assert_eq!(strings, ["python", "gc__start", "-4@%eax"]);
        assert_eq!(notes[1].arguments, "");
    }

    #[test]
    fn the_other_encodings() {
        let mut content: Vec<u8> = [0x1234_u32, 0x2000, 0].iter().flat_map(|word| word.to_be_bytes()).collect();
        content.extend(b"p\0q\0\0");
        let words = [OWNER.len() as u32, content.len() as u32, KIND];
        let mut section: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        section.extend(OWNER);
        section.extend(content);
        let notes = parse(&section, Encoding { big_endian: true, is_64: false });
        assert_eq!((notes[0].location, notes[0].name.as_str()), (0x1234, "q"));
    }

    /// Whatever is cut off or damaged yields fewer notes and no panic.
    #[test]
    fn damage_is_harmless() {
        let mut section = note(OWNER, KIND, &content(b"python\0gc__start\0-4@%eax\0"));
        section.extend(note(OWNER, KIND, &content(b"p\0q\08@%rax\0")));
        for len in 0..section.len() {
            assert!(parse(&section[..len], NATIVE).len() < 2 || len + 4 > section.len());
        }
        for at in 0..section.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = section.clone();
                damaged[at] = value;
                assert!(parse(&damaged, NATIVE).len() <= 2);
            }
        }
    }
}
