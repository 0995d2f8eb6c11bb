// SPDX-License-Identifier: Apache-2.0
//! The USDT notes of one ELF file, with addresses turned into what attaching takes.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use object::elf::{PF_X, STT_FUNC, STT_NOTYPE, STT_OBJECT};
use object::read::ReadRef;
use object::{Architecture, Object as _, ObjectSection as _, ObjectSegment as _, ObjectSymbol as _};
use object::{SegmentFlags, SymbolFlags};

use super::argument::{Argument, Machine, Operand, Place, parse_arguments};
use super::note::{self, Encoding, Note};
use crate::error::{Error, Result};
use crate::symbolize::elf::FileBytes;

const SECTION: &str = ".note.stapsdt";
/// An empty section whose address tells how far a prelinked file was moved after its notes were written.
const BASE_SECTION: &str = ".stapsdt.base";

/// One place in the code where a probe is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Its address, as the file is linked now.
    pub address: u64,
    /// Its offset in the file, which is what a uprobe takes; `None` when no part of the file is loaded there.
    pub offset: Option<u64>,
    /// The address of the probe's semaphore; 0 when it has none.
    pub semaphore: u64,
    /// The semaphore's offset in the file; `None` when it has none, or it is not kept in the file.
    pub semaphore_offset: Option<u64>,
    /// The arguments' string.
    pub text: String,
}

/// The probes of a file: provider, name and location of each note, in the file's order.
#[derive(Debug, Default)]
pub struct UsdtFile {
    /// The file.
    pub path: PathBuf,
    /// Its instruction set; `None` for one whose arguments cannot be read.
    pub machine: Option<Machine>,
    /// Provider, name, location.
    pub notes: Vec<(String, String, Location)>,
    /// The variables that arguments name: their address, or how many there are of the name when not one.
    pub(super) symbols: HashMap<String, std::result::Result<u64, usize>>,
}

impl UsdtFile {
    /// Reads a file's notes; `what` is the headline of an error. A file without notes is no error.
    pub fn open(path: &Path, what: &str) -> Result<UsdtFile> {
        let evidence = || format!("`{}`", path.display());
        let bytes = File::open(path).and_then(|file| FileBytes::of(&file));
        let bytes = bytes.map_err(|err| Error::io(what, &err).with_evidence(evidence()))?;
        let file = object::File::parse(&*bytes).map_err(|err| {
            let why = format!("`{}` is not a program or library", path.display());
            Error::script(what, why).with_evidence(err.to_string())
        })?;
        Ok(read(&file, path))
    }

    /// The arguments at a location, with the variables that they name found.
    pub fn arguments(&self, location: &Location) -> Vec<Argument> {
        let Some(machine) = self.machine else { return Vec::new() };
        let mut arguments = parse_arguments(machine, &location.text);
        for argument in &mut arguments {
            if let Err(why) = self.find_symbol(machine, location, argument) {
                argument.operand = Err(why);
            }
        }
        arguments
    }

    /// Turns a variable's name into its distance from the probe, which is the same wherever the file is mapped.
    fn find_symbol(
        &self,
        machine: Machine,
        location: &Location,
        argument: &mut Argument,
    ) -> std::result::Result<(), String> {
        let Ok(Operand::Memory(place) | Operand::Address(place)) = &mut argument.operand else { return Ok(()) };
        let Some(name) = place.symbol.take() else { return Ok(()) };
        if place.base.is_some() {
            return Err(format!("`{}` adds a register to the address of a variable", argument.text));
        }
        match self.symbols.get(&name) {
            Some(Ok(address)) => {
                let distance = address.wrapping_sub(location.address) as i64;
                place.displacement = place.displacement.wrapping_add(distance);
                place.base = Some(machine.instruction_pointer());
                Ok(())
            }
            Some(Err(several)) => Err(format!("{several} variables of the file are called `{name}`")),
            None => Err(format!("the file's symbol tables do not have its variable `{name}`")),
        }
    }
}

fn read<'data, R: ReadRef<'data>>(file: &object::File<'data, R>, path: &Path) -> UsdtFile {
    let encoding = Encoding { big_endian: !file.is_little_endian(), is_64: file.is_64() };
    let sections = file.sections().filter(|section| section.name() == Ok(SECTION));
    let notes: Vec<Note> =
        sections.filter_map(|section| Some(note::parse(section.data().ok()?, encoding))).flatten().collect();
    let base = file.section_by_name(BASE_SECTION).map_or(0, |section| section.address());
    let segments = Segments::of(file);
    let machine = match file.architecture() {
        Architecture::X86_64 => Some(Machine::X86_64),
        Architecture::I386 => Some(Machine::X86),
        Architecture::Aarch64 => Some(Machine::Aarch64),
        _ => None,
    };
    let symbols = machine.map(|machine| find_symbols(file, machine, &notes)).unwrap_or_default();
    let located = |note: Note| {
        let moved = if base != 0 && note.base != 0 { base.wrapping_sub(note.base) } else { 0 };
        let address = note.location.wrapping_add(moved);
        let semaphore = if note.semaphore == 0 { 0 } else { note.semaphore.wrapping_add(moved) };
        let location = Location {
            address,
            offset: segments.offset(address, true),
            semaphore,
            semaphore_offset: segments.offset(semaphore, false).filter(|_| semaphore != 0),
            text: note.arguments,
        };
        (note.provider, note.name, location)
    };
    UsdtFile { path: path.to_owned(), machine, notes: notes.into_iter().map(located).collect(), symbols }
}

/// The parts of a file that are loaded, and whether they hold code.
struct Segments(Vec<(u64, u64, u64, bool)>);

impl Segments {
    fn of<'data, R: ReadRef<'data>>(file: &object::File<'data, R>) -> Segments {
        let part = |segment: object::Segment<'data, '_, R>| {
            let (start, size) = segment.file_range();
            let code = matches!(segment.flags(), SegmentFlags::Elf { p_flags, .. } if p_flags.0 & PF_X.0 != 0);
            (segment.address(), start, size, code)
        };
        Segments(file.segments().map(part).collect())
    }

    /// Where in the file the byte at this address is.
    fn offset(&self, address: u64, code: bool) -> Option<u64> {
        self.0.iter().filter(|part| part.3 == code).find_map(|(start, offset, size, _)| {
            let within = address.checked_sub(*start)?;
            (within < *size).then_some(offset + within)
        })
    }
}

/// The addresses of the variables that the arguments name. Most files have none of those, and then nothing is looked up.
fn find_symbols<'data, R: ReadRef<'data>>(
    file: &object::File<'data, R>,
    machine: Machine,
    notes: &[Note],
) -> HashMap<String, std::result::Result<u64, usize>> {
    let mut wanted: HashMap<String, Vec<u64>> = HashMap::new();
    for note in notes.iter().filter(|note| note.arguments.contains(|c: char| c.is_ascii_alphabetic())) {
        for argument in parse_arguments(machine, &note.arguments) {
            if let Ok(
                Operand::Memory(Place { symbol: Some(name), .. }) | Operand::Address(Place { symbol: Some(name), .. }),
            ) = argument.operand
            {
                wanted.entry(name).or_default();
            }
        }
    }
    if wanted.is_empty() {
        return HashMap::new();
    }
    for symbol in file.symbols().chain(file.dynamic_symbols()).filter(|symbol| !symbol.is_undefined()) {
        let kind = match symbol.flags() {
            SymbolFlags::Elf { st_info, .. } => st_info.st_type(),
            _ => STT_NOTYPE,
        };
        if let (Ok(name), STT_OBJECT | STT_NOTYPE | STT_FUNC) = (symbol.name(), kind)
            && let Some(addresses) = wanted.get_mut(name)
            && !addresses.contains(&symbol.address())
        {
            addresses.push(symbol.address());
        }
    }
    let found = wanted.into_iter().filter(|(_, addresses)| !addresses.is_empty());
    found
        .map(|(name, addresses)| (name, if let [one] = addresses[..] { Ok(one) } else { Err(addresses.len()) }))
        .collect()
}
