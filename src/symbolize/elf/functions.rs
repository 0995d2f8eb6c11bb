// SPDX-License-Identifier: Apache-2.0
//! The names of all functions of a file, as its symbol tables have them: for completion. A file of a hundred thousand
//! symbols takes some ten milliseconds, for each table is read as one piece.

use std::fs::File;

use object::elf::{FileHeader32, FileHeader64, SHT_DYNSYM, SHT_SYMTAB, STT_FUNC, STT_GNU_IFUNC, SectionType};
use object::endian::Endianness;
use object::read::elf::{FileHeader, SectionHeader as _, SectionTable, Sym as _};
use object::read::{ReadCache, StringTable};

type Names = Vec<Box<str>>;

/// The functions that a file defines, sorted, each name once; none when it is no ELF file.
pub fn function_names(file: &File) -> Names {
    let data = ReadCache::new(file);
    let found = parse::<FileHeader64<Endianness>>(&data).or_else(|| parse::<FileHeader32<Endianness>>(&data));
    let mut names = found.unwrap_or_default();
    names.sort_unstable();
    names.dedup();
    names
}

fn parse<'file, Elf>(data: &'file ReadCache<&'file File>) -> Option<Names>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let header = Elf::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, data).ok()?;
    let mut names = Vec::new();
    for kind in [SHT_SYMTAB, SHT_DYNSYM] {
        // A table that is broken has no names; the other one may.
        let _ = add(&mut names, &sections, endian, data, kind);
    }
    Some(names)
}

fn add<'file, Elf>(
    names: &mut Names,
    sections: &SectionTable<'file, Elf, &'file ReadCache<&'file File>>,
    endian: Endianness,
    data: &'file ReadCache<&'file File>,
    kind: SectionType,
) -> object::Result<()>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let symbols = sections.symbols(endian, data, kind)?;
    if symbols.is_empty() {
        return Ok(());
    }
    let bytes = sections.section(symbols.string_section())?.data(endian, data)?;
    let strings = StringTable::new(bytes, 0, bytes.len() as u64);
    let functions = symbols
        .iter()
        .filter(|symbol| matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC) && !symbol.is_undefined(endian));
    names.extend(functions.filter_map(|symbol| {
        let name = strings.get(symbol.st_name(endian)).ok().filter(|name| !name.is_empty())?;
        Some(std::str::from_utf8(name).ok()?.into())
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_this_program_and_of_nothing() {
        let names = function_names(&File::open("/proc/self/exe").unwrap());
        assert!(names.iter().any(|name| &**name == "main"), "{} names", names.len());
        assert!(names.is_sorted() && names.windows(2).all(|pair| pair[0] != pair[1]));
        let none = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
        assert!(function_names(&none).is_empty());
    }
}
