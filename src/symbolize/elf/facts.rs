// SPDX-License-Identifier: Apache-2.0
//! What the headers of an ELF file say, without its symbols.

use object::elf::{FileHeader32, FileHeader64, NT_GNU_BUILD_ID, PF_X, PT_LOAD, PT_NOTE, SHF_EXECINSTR};
use object::endian::{Endian as _, Endianness};
use object::read::ReadCache;
use object::read::elf::{FileHeader, ProgramHeader as _, SectionHeader as _, SectionTable};
use std::fs::File;
use std::ops::Range;

/// A part of the file that is mapped when it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    offset: u64,
    address: u64,
    size: u64,
    executable: bool,
}

/// What an ELF file's headers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElfFacts {
    segments: Vec<Segment>,
    /// The addresses of each section with code.
    code_sections: Vec<Range<u64>>,
    /// Whether it has a full symbol table; a stripped file has none.
    pub has_symbol_table: bool,
    /// Whether it has DWARF.
    pub has_debug_info: bool,
    /// Its build ID, if it has one.
    pub build_id: Option<Vec<u8>>,
    /// The name of its debug file and that file's checksum, if it names one.
    pub debug_link: Option<(Vec<u8>, u32)>,
}

impl ElfFacts {
    /// Reads the headers; `None` when this is no ELF file.
    pub fn read(file: &File) -> Option<Self> {
        let data = ReadCache::new(file);
        parse::<FileHeader64<Endianness>>(&data).or_else(|| parse::<FileHeader32<Endianness>>(&data))
    }

    /// The address, as the symbols count it, of a place in the file. Code is preferred where segments share a page.
    pub fn address_at(&self, offset: u64) -> Option<u64> {
        let holds =
            |segment: &&Segment| (segment.offset..segment.offset.saturating_add(segment.size)).contains(&offset);
        let code = self.segments.iter().filter(|segment| segment.executable).find(holds);
        let segment = code.or_else(|| self.segments.iter().find(holds))?;
        Some(offset - segment.offset + segment.address)
    }

    /// Whether two addresses are in one section with code.
    pub fn share_section(&self, one: u64, other: u64) -> bool {
        self.code_sections.iter().any(|section| section.contains(&one) && section.contains(&other))
    }

    /// The place in the file of an address as the symbols count it.
    pub fn offset_of(&self, address: u64) -> Option<u64> {
        let holds =
            |segment: &&Segment| (segment.address..segment.address.saturating_add(segment.size)).contains(&address);
        let segment = self.segments.iter().find(holds)?;
        Some(address - segment.address + segment.offset)
    }
}

fn parse<'a, Elf>(data: &'a ReadCache<&'a File>) -> Option<ElfFacts>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let header = Elf::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let mut facts = ElfFacts::default();
    for segment in header.program_headers(endian, data).ok()? {
        match segment.p_type(endian) {
            PT_LOAD => facts.segments.push(Segment {
                offset: segment.p_offset(endian).into(),
                address: segment.p_vaddr(endian).into(),
                size: segment.p_filesz(endian).into(),
                executable: segment.p_flags(endian).0 & PF_X.0 != 0,
            }),
            PT_NOTE if facts.build_id.is_none() => {
                let mut notes = segment.notes(endian, data).ok().flatten();
                while let Some(Ok(Some(note))) = notes.as_mut().map(object::read::elf::NoteIterator::next) {
                    if note.name() == b"GNU" && note.n_type(endian) == NT_GNU_BUILD_ID {
                        facts.build_id = Some(note.desc().to_vec());
                    }
                }
            }
            _ => {}
        }
    }
    // A file may have lost its section headers and still run.
    if let Ok(sections) = header.sections(endian, data) {
        facts.code_sections = code_sections(endian, &sections);
        let there = |name: &[u8]| {
            sections.section_by_name(endian, name).filter(|(_, section)| section.sh_size(endian).into() > 0)
        };
        let has_data =
            |name: &[u8]| there(name).is_some_and(|(_, section)| section.sh_type(endian) != object::elf::SHT_NOBITS);
        facts.has_symbol_table = has_data(b".symtab");
        facts.has_debug_info = has_data(b".debug_info") || has_data(b".debug_line");
        let link = there(b".gnu_debuglink").and_then(|(_, section)| section.data(endian, data).ok());
        facts.debug_link = link.and_then(|link| parse_debug_link(link, endian));
    }
    Some(facts)
}

/// The sections that hold code: `.init`, `.plt`, `.text` …
fn code_sections<'a, Elf: FileHeader>(
    endian: Elf::Endian,
    sections: &SectionTable<'a, Elf, &'a ReadCache<&'a File>>,
) -> Vec<Range<u64>> {
    let code = sections.iter().filter(|section| section.sh_flags(endian).0 & SHF_EXECINSTR.0 != 0);
    code.map(|section| {
        let start = section.sh_addr(endian).into();
        start..start.saturating_add(section.sh_size(endian).into())
    })
    .collect()
}

/// The file's name, NUL, bytes up to the next multiple of four, the checksum.
fn parse_debug_link(link: &[u8], endian: Endianness) -> Option<(Vec<u8>, u32)> {
    let name = link.split(|byte| *byte == 0).next().filter(|name| !name.is_empty())?;
    let start = (name.len() + 1).next_multiple_of(4);
    let checksum: [u8; 4] = link.get(start..start + 4)?.try_into().ok()?;
    Some((name.to_vec(), endian.read_u32(checksum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_links() {
        let link = b"x.debug\0\x01\x02\x03\x04";
        assert_eq!(parse_debug_link(link, Endianness::Little), Some((b"x.debug".to_vec(), 0x0403_0201)));
        assert_eq!(parse_debug_link(b"xy\0\0\x01\x02\x03\x04", Endianness::Big), Some((b"xy".to_vec(), 0x0102_0304)));
        for end in 0..link.len() {
            assert_eq!(parse_debug_link(&link[..end], Endianness::Little), None);
        }
    }

    #[test]
    fn this_test_program() {
        let facts = ElfFacts::read(&File::open("/proc/self/exe").unwrap()).unwrap();
        assert!(facts.has_symbol_table);
        let code = facts.segments.iter().find(|segment| segment.executable).unwrap();
        assert_eq!(facts.address_at(code.offset + 5), Some(code.address + 5));
        assert_eq!(facts.offset_of(code.address + 5), Some(code.offset + 5));
        assert_eq!(facts.address_at(u64::MAX), None);
        assert_eq!(facts.offset_of(u64::MAX), None);
    }

    #[test]
    fn what_is_no_elf_file() {
        let here = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
        assert_eq!(ElfFacts::read(&here), None);
        assert_eq!(ElfFacts::read(&File::open("/dev/null").unwrap()), None);
    }
}
