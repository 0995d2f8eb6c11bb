// SPDX-License-Identifier: Apache-2.0
//! The functions that a file offers to others, from its dynamic symbols: the only names of a stripped file, and of those
//! with several the ones that people know (`getpid`, not `__GI_getpid`).

use object::elf::{FileHeader32, FileHeader64, STT_FUNC, STT_GNU_IFUNC};
use object::endian::Endianness;
use object::read::elf::{FileHeader, Sym as _};
use std::fs::File;

use super::bytes::FileBytes;
use super::names::Name;

/// A function with its length.
#[derive(Debug)]
struct Export {
    address: u64,
    size: u64,
    name: Box<str>,
}

/// The functions of a file in the order of their addresses.
#[derive(Debug, Default)]
pub(super) struct Exports(Vec<Export>);

impl Exports {
    /// Reads them; none when the file has none.
    pub(super) fn read(file: &File) -> Self {
        let mut exports = FileBytes::of(file).map(|bytes| parse_either(&bytes)).unwrap_or_default();
        // The first of one address is the one that is found: the plainest of its names.
        exports.sort_by(|a, b| (a.address, plainness(&a.name)).cmp(&(b.address, plainness(&b.name))));
        exports.dedup_by_key(|export| export.address);
        Exports(exports)
    }

    /// The function that an address lies in.
    pub(super) fn find(&self, address: u64) -> Option<Name> {
        let next = self.0.partition_point(|export| export.address <= address);
        let export = self.0[..next].last()?;
        let inside = address == export.address || address - export.address < export.size;
        inside.then(|| Name { name: export.name.to_string(), address: export.address, exact: true })
    }
}

/// Names that the compiler or the library keeps for itself begin with underscores.
fn plainness(name: &str) -> (usize, usize, &str) {
    (name.bytes().take_while(|byte| *byte == b'_').count(), name.len(), name)
}

fn parse_either(data: &[u8]) -> Vec<Export> {
    parse::<FileHeader64<Endianness>>(data).or_else(|| parse::<FileHeader32<Endianness>>(data)).unwrap_or_default()
}

fn parse<Elf>(data: &[u8]) -> Option<Vec<Export>>
where
    Elf: FileHeader<Endian = Endianness>,
{
    let header = Elf::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, data).ok()?;
    let symbols = sections.symbols(endian, data, object::elf::SHT_DYNSYM).ok()?;
    let functions = symbols
        .iter()
        .filter(|symbol| matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC) && !symbol.is_undefined(endian));
    let exports = functions.filter_map(|symbol| {
        let name = symbol.name(endian, symbols.strings()).ok()?;
        Some(Export {
            address: symbol.st_value(endian).into(),
            size: symbol.st_size(endian).into(),
            name: String::from_utf8_lossy(name).into(),
        })
    });
    Some(exports.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plainest_name() {
        let mut names = ["__libc_malloc", "malloc", "__GI_malloc", "mallocx"];
        names.sort_by_key(|name| plainness(name));
        assert_eq!(names, ["malloc", "mallocx", "__GI_malloc", "__libc_malloc"]);
    }

    #[test]
    fn inside_and_outside() {
        let export = |address, size, name: &str| Export { address, size, name: name.into() };
        let exports = Exports(vec![export(0x10, 8, "a"), export(0x20, 0, "b")]);
        let found = |address| exports.find(address).map(|name| name.name);
        assert_eq!(found(0xf), None);
        assert_eq!(found(0x17).as_deref(), Some("a"));
        assert_eq!(found(0x18), None);
        assert_eq!(found(0x20).as_deref(), Some("b"));
        assert_eq!(found(0x21), None);
    }
}
