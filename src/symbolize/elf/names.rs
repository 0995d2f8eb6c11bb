// SPDX-License-Identifier: Apache-2.0
//! The names and source lines of one ELF file. Only here does blazesym stand.

use blazesym::inspect::{self, Inspector};
use blazesym::symbolize::source::{Elf, Source};
use blazesym::symbolize::{Input, Symbolized, Symbolizer};
use std::fmt;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use crate::symbolize::symbol::SourceLine;

/// The symbols of one file, mapped into memory and indexed.
pub(super) struct Names {
    /// One engine for one file: what it keeps goes when the file does.
    engine: Symbolizer,
    path: PathBuf,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A name of the file: what it is, where it starts, as the file counts addresses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub name: String,
    pub address: u64,
    /// Whether what was asked for is inside its length, or is its start; else the length is unknown.
    pub exact: bool,
}

impl Names {
    /// Opens the symbols of a file that is open already: its path may mean another file by now, or nothing.
    pub(super) fn open(file: &File) -> Option<Self> {
        let no_folders: [&Path; 0] = [];
        let engine = Symbolizer::builder()
            .enable_auto_reload(false)
            .enable_inlined_fns(false)
            // The debug file is found by us, who know where the process sees it.
            .set_debug_dirs(Some(no_folders))
            .build();
        let path = path_of(file);
        let names = Names { engine, path };
        // The engine opens the file now, while this path means it, and never again.
        names.symbolize(0, false).ok()?;
        Some(names)
    }

    /// The name that an address lies in.
    pub(super) fn find(&self, address: u64) -> Option<Name> {
        match self.symbolize(address, false).ok()? {
            Symbolized::Sym(symbol) if !symbol.name.is_empty() => {
                let exact = symbol.size.is_some() || symbol.offset == 0;
                Some(Name { name: symbol.name.into_owned(), address: symbol.addr, exact })
            }
            _ => None,
        }
    }

    /// The source line of an address, if the file has DWARF that tells.
    pub(super) fn line(&self, address: u64) -> Option<SourceLine> {
        let Symbolized::Sym(symbol) = self.symbolize(address, true).ok()? else { return None };
        let info = symbol.code_info?;
        Some(SourceLine {
            file: info.to_path().into_owned(),
            line: info.line.unwrap_or_default(),
            column: info.column.unwrap_or_default().into(),
        })
    }

    fn symbolize(&self, address: u64, debug_syms: bool) -> blazesym::Result<Symbolized<'_>> {
        let mut source = Elf::new(&self.path);
        source.debug_syms = debug_syms;
        self.engine.symbolize_single(&Source::Elf(source), Input::VirtOffset(address))
    }
}

/// The address of a function, as the file counts addresses. Reads the file's symbols for this one question.
pub(super) fn address_of(file: &File, name: &str) -> Option<u64> {
    let mut source = inspect::source::Elf::new(path_of(file));
    source.debug_syms = false;
    let inspector = Inspector::new();
    let found = inspector.lookup(&inspect::source::Source::Elf(source), &[name]).ok()?;
    found.into_iter().flatten().map(|symbol| symbol.addr).next()
}

/// The vDSO of a process is that of every process: ours tells.
pub(super) fn find_in_vdso(offset: u64, our_vdso: u64) -> Option<Name> {
    let engine = Symbolizer::builder().enable_code_info(false).enable_inlined_fns(false).build();
    let source = Source::Process(blazesym::symbolize::source::Process::new(blazesym::Pid::Slf));
    match engine.symbolize_single(&source, Input::AbsAddr(our_vdso + offset)).ok()? {
        Symbolized::Sym(symbol) => {
            Some(Name { name: symbol.name.into_owned(), address: offset - symbol.offset as u64, exact: true })
        }
        Symbolized::Unknown(_) => None,
    }
}

fn path_of(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
