// SPDX-License-Identifier: Apache-2.0
//! One file as processes map it.

use std::cell::OnceCell;
use std::fs::File;
use std::path::PathBuf;

use super::debug_file;
use super::exports::Exports;
use super::facts::ElfFacts;
use super::names::{self, Name, Names};
use crate::symbolize::symbol::SourceLine;

/// Where a file is for the process that maps it, for finding its debug file.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its path as the process sees it.
    pub path: PathBuf,
    /// The roots below which that path, and debug files, are looked for; the process's own first.
    pub roots: Vec<PathBuf>,
}

/// One ELF file: its headers, its names, its lines.
#[derive(Debug)]
pub struct Image {
    facts: ElfFacts,
    file: File,
    names: Option<Names>,
    /// Whether the names are of a whole symbol table, so that there is no function between two of them.
    all_names: bool,
    /// What a stripped file exports, read when first asked for.
    exports: OnceCell<Exports>,
    /// The debug file with the lines, opened when first asked for, where the names' file has none.
    lines: OnceCell<Option<Names>>,
    place: Place,
}

/// A function of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name as it is in the file.
    pub name: String,
    /// The distance of what was asked for from its start.
    pub offset: u64,
}

impl Image {
    /// Reads the headers of a file and opens its names; `None` when it is no ELF file.
    pub fn open(file: File, place: Place) -> Option<Self> {
        let facts = ElfFacts::read(&file)?;
        let of_debug_file = debug_names(&facts, &place).as_ref().and_then(Names::open);
        let all_names = facts.has_symbol_table || of_debug_file.is_some();
        let names = of_debug_file.or_else(|| Names::open(&file));
        Some(Image { facts, file, names, all_names, exports: OnceCell::new(), lines: OnceCell::new(), place })
    }

    /// What the headers say.
    pub fn facts(&self) -> &ElfFacts {
        &self.facts
    }

    /// The function at a place in the file.
    pub fn function_at(&self, file_offset: u64) -> Option<Function> {
        let address = self.facts.address_at(file_offset)?;
        let name = self.name_at(address)?;
        Some(Function { offset: address.checked_sub(name.address)?, name: name.name })
    }

    fn name_at(&self, address: u64) -> Option<Name> {
        let found = self.names.as_ref().and_then(|names| names.find(address));
        let Some(found) = found else { return self.export_at(address) };
        if !found.exact {
            // Hand-written assembly may have no length: it reaches to the next name, if that is known.
            let guess = self.all_names && self.facts.share_section(found.address, address);
            return self.export_at(address).or(guess.then_some(found));
        }
        // Of a function with several names, such as `getpid` and `__GI_getpid`, the one that others call it by.
        let internal = found.name.starts_with("__");
        let exported = internal.then(|| self.export_at(address)).flatten();
        Some(exported.filter(|name| name.address == found.address).unwrap_or(found))
    }

    fn export_at(&self, address: u64) -> Option<Name> {
        if self.facts.has_symbol_table {
            return None;
        }
        self.exports.get_or_init(|| Exports::read(&self.file)).find(address)
    }

    /// The source line of a place in the file.
    pub fn line_at(&self, file_offset: u64) -> Option<SourceLine> {
        let address = self.facts.address_at(file_offset)?;
        // The file with the names has the lines, too, more often than not.
        let own = self.names.as_ref().and_then(|names| names.line(address));
        own.or_else(|| self.debug_lines()?.line(address))
    }

    fn debug_lines(&self) -> Option<&Names> {
        let find = || debug_file::find(&self.facts, &self.place, |found| found.has_debug_info);
        let open = || (!self.facts.has_debug_info).then(find).flatten().as_ref().and_then(Names::open);
        self.lines.get_or_init(open).as_ref()
    }
}

/// The debug file with the names of a stripped file.
fn debug_names(facts: &ElfFacts, place: &Place) -> Option<File> {
    let find = || debug_file::find(facts, place, |found| found.has_symbol_table);
    (!facts.has_symbol_table).then(find).flatten()
}

/// The place in a file of a function; from its debug file when it was stripped.
pub(in crate::symbolize) fn offset_of(file: &File, place: &Place, name: &str) -> Option<u64> {
    let facts = ElfFacts::read(file)?;
    let address = debug_names(&facts, place)
        .and_then(|file| names::address_of(&file, name))
        .or_else(|| names::address_of(file, name))?;
    facts.offset_of(address)
}

/// The function of the vDSO at an offset from its start; `our_vdso` is where ours starts.
pub(in crate::symbolize) fn function_in_vdso(offset: u64, our_vdso: u64) -> Option<Function> {
    let Name { name, address, .. } = names::find_in_vdso(offset, our_vdso)?;
    Some(Function { name, offset: offset.checked_sub(address)? })
}
