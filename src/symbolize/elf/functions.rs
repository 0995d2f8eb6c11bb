// SPDX-License-Identifier: Apache-2.0
//! The names of all functions of a file, as its symbol tables have them: for completion. Each table is read as one piece, and a
//! name is a part of it: of a hundred thousand, allocating and sorting them would take most of the time.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use object::elf::{FileHeader32, FileHeader64, SHT_DYNSYM, SHT_SYMTAB, STT_FUNC, STT_GNU_IFUNC, SectionType};
use object::endian::Endianness;
use object::read::ReadCache;
use object::read::elf::{FileHeader, SectionHeader as _, SectionTable, Sym as _};

/// The names of a file's functions, in the order of its symbol tables; one may come twice.
#[derive(Debug, Default)]
pub struct FunctionNames {
    tables: Vec<Table>,
}

/// The strings of a symbol table, and where in them functions have their names.
#[derive(Debug)]
struct Table {
    strings: String,
    names: Vec<Range<u32>>,
}

impl FunctionNames {
    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().flat_map(Table::iter)
    }
}

impl Table {
    fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter_map(|name| self.strings.get(name.start as usize..name.end as usize))
    }
}

/// The functions that a file defines; none when it is no ELF file.
pub fn function_names(file: &File) -> FunctionNames {
    let data = ReadCache::new(file);
    let found =
        parse::<FileHeader64<Endianness>>(&data, file).or_else(|| parse::<FileHeader32<Endianness>>(&data, file));
    FunctionNames { tables: found.unwrap_or_default() }
}

fn parse<'file, Elf>(data: &'file ReadCache<&'file File>, file: &File) -> Option<Vec<Table>>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let header = Elf::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, data).ok()?;
    // A table that is broken has no names; the other one may.
    let tables = [SHT_SYMTAB, SHT_DYNSYM].into_iter();
    Some(tables.filter_map(|kind| read_table(&sections, endian, data, file, kind).ok().flatten()).collect())
}

fn read_table<'file, Elf>(
    sections: &SectionTable<'file, Elf, &'file ReadCache<&'file File>>,
    endian: Endianness,
    data: &'file ReadCache<&'file File>,
    file: &File,
    kind: SectionType,
) -> object::Result<Option<Table>>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let symbols = sections.symbols(endian, data, kind)?;
    if symbols.is_empty() {
        return Ok(None);
    }
    let section = sections.section(symbols.string_section())?;
    let Some(bytes) = section.file_range(endian).and_then(|(start, size)| read_range(file, start, size)) else {
        return Ok(None);
    };
    let functions = symbols
        .iter()
        .filter(|symbol| matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC) && !symbol.is_undefined(endian));
    let names = functions.filter_map(|symbol| {
        let start = symbol.st_name(endian);
        let length = memchr::memchr(0, bytes.get(start as usize..)?)?;
        (length > 0).then_some(start..start.saturating_add(u32::try_from(length).ok()?))
    });
    let names: Vec<Range<u32>> = names.collect();
    Ok(Some(match String::from_utf8(bytes) {
        Ok(strings) => Table { strings, names },
        Err(error) => valid_names(error.as_bytes(), &names),
    }))
}

/// Read straight to where it stays, not through the cache that the rest is read with.
fn read_range(file: &File, start: u64, size: u64) -> Option<Vec<u8>> {
    let end = start.checked_add(size)?;
    if end > file.metadata().ok()?.len() {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(size).ok()?];
    file.read_exact_at(&mut bytes, start).ok()?;
    Some(bytes)
}

/// The names that are text, where others are not.
fn valid_names(bytes: &[u8], names: &[Range<u32>]) -> Table {
    let mut table = Table { strings: String::new(), names: Vec::new() };
    for name in names {
        if let Some(Ok(text)) = bytes.get(name.start as usize..name.end as usize).map(std::str::from_utf8) {
            let start = table.strings.len() as u32;
            table.strings.push_str(text);
            table.names.push(start..table.strings.len() as u32);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_this_program_and_of_nothing() {
        let names = function_names(&File::open("/proc/self/exe").unwrap());
        assert!(names.iter().any(|name| name == "main"), "{} names", names.iter().count());
        assert!(names.iter().all(|name| !name.is_empty() && !name.contains('\0')));
        let none = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
        assert!(function_names(&none).iter().next().is_none());
    }

    #[test]
    fn a_name_that_is_no_text_hides_no_other() {
        let table = valid_names(b"\0ab\0\xff\0cd\0", &[1..3, 4..5, 6..8, 90..92]);
        assert_eq!(table.iter().collect::<Vec<_>>(), ["ab", "cd"]);
    }
}
