// SPDX-License-Identifier: Apache-2.0
//! From a symbol or address to the offset in the file, which is what a uprobe takes.

use std::fs::File;
use std::path::Path;

use object::elf::{PF_X, STT_GNU_IFUNC};
use object::read::ReadRef;
use object::{Object as _, ObjectSegment as _, ObjectSymbol as _, SegmentFlags, SymbolFlags, SymbolKind};

use super::instructions::{self, Extent};
use super::{UprobePlace, indirect};
use crate::error::{Error, Result};
use crate::suggest;
use crate::symbolize::elf::FileBytes;

/// The offset in `path` of a place; `what` is the headline of an error. Of an indirect function: of the one that was
/// chosen, in the process `pid` or in any.
pub fn offset(path: &Path, place: &UprobePlace, pid: Option<i32>, what: &str) -> Result<u64> {
    let bytes = File::open(path).and_then(|file| FileBytes::of(&file));
    let bytes = bytes.map_err(|err| Error::io(what, &err).with_evidence(format!("`{}`", path.display())))?;
    let file = object::File::parse(&*bytes).map_err(|err| {
        Error::script(what, format!("`{}` is not a program or library", path.display())).with_evidence(err.to_string())
    })?;
    let (symbol, address, plus) = match place {
        UprobePlace::Symbol(name, plus) => match find_symbol(&file, name, path, what)? {
            (function, true) => {
                let chosen = indirect::chosen(&file, path, function.address, pid);
                let chosen = chosen.ok_or_else(|| indirect_function(&file, name, what))?;
                check_place(&file, chosen, *plus, what)?;
                return Ok(chosen + plus);
            }
            (function, false) => {
                instructions::check(&file, function, *plus, name, what)?;
                (name, function.address, *plus)
            }
        },
        UprobePlace::Function(name, address) => (name, *address, 0),
        UprobePlace::Address(address) => {
            let offset = code_at(&file, *address).ok_or_else(|| no_code(*address, path, what))?;
            check_place(&file, offset, 0, what)?;
            return Ok(offset);
        }
    };
    let offset = in_file(&file, address).ok_or_else(|| {
        Error::script(what, format!("symbol `{symbol}` is in no part of `{}` that is loaded", path.display()))
    })?;
    Ok(offset + plus)
}

/// Fails where no instruction begins `plus` bytes from an offset in the file, as far as a function's symbol tells.
fn check_place<'data, R: ReadRef<'data>>(
    file: &object::File<'data, R>,
    offset: u64,
    plus: u64,
    what: &str,
) -> Result<()> {
    let address = file.segments().find_map(|segment| {
        let (start, size) = segment.file_range();
        Some(segment.address() + offset.checked_sub(start).filter(|within| *within < size)?)
    });
    let found = address.and_then(|address| Some((address, instructions::function_at(file, address)?)));
    found.map_or(Ok(()), |(address, (function, name))| {
        instructions::check(file, function, address - function.address + plus, &name, what)
    })
}

/// The offset in the file of code at an address as symbols have it, or else at that offset: bcc takes both.
fn code_at<'data, R: ReadRef<'data>>(file: &object::File<'data, R>, address: u64) -> Option<u64> {
    let within = |start: u64, size: u64| address.checked_sub(start).filter(|within| *within < size);
    let code = || {
        let has_code = |flags| matches!(flags, SegmentFlags::Elf { p_flags, .. } if p_flags.0 & PF_X.0 != 0);
        file.segments().filter(move |segment| has_code(segment.flags()))
    };
    let by_address = code().find_map(|segment| {
        let (start, size) = segment.file_range();
        Some(start + within(segment.address(), size)?)
    });
    let by_offset = || {
        code().find_map(|segment| {
            let (start, size) = segment.file_range();
            within(start, size).map(|_| address)
        })
    };
    by_address.or_else(by_offset)
}

fn no_code(address: u64, path: &Path, what: &str) -> Error {
    let why = format!("there is no code at the address {address:#x} of `{}`, nor at that offset", path.display());
    Error::script(what, why).with_note("an address is what `nm` and `objdump` show, not where a process has the code")
}

/// The offset in the file of an address.
pub(super) fn in_file<'data, R: ReadRef<'data>>(file: &object::File<'data, R>, address: u64) -> Option<u64> {
    file.segments().find_map(|segment| {
        let (start, size) = segment.file_range();
        let within = address.checked_sub(segment.address())?;
        (within < size).then_some(start + within)
    })
}

/// The offset in the file of where the program starts; libraries that can be run have one, too.
pub(super) fn entry_offset(path: &Path) -> Option<u64> {
    let bytes = FileBytes::of(&File::open(path).ok()?).ok()?;
    let file = object::File::parse(&*bytes).ok()?;
    in_file(&file, Some(file.entry()).filter(|entry| *entry != 0)?)
}

/// A function of the file by name, and whether it is an indirect one.
fn find_symbol<'data, R: ReadRef<'data>>(
    file: &object::File<'data, R>,
    name: &str,
    path: &Path,
    what: &str,
) -> Result<(Extent, bool)> {
    let symbols = || file.symbols().chain(file.dynamic_symbols()).filter(|symbol| !symbol.is_undefined());
    let found = symbols().find(|symbol| symbol.name() == Ok(name));
    let Some(symbol) = found else {
        let known =
            symbols().filter(|symbol| symbol.kind() == SymbolKind::Text).filter_map(|symbol| symbol.name().ok());
        return Err(no_symbol(name, path, &known.collect::<Vec<_>>(), what));
    };
    Ok((Extent { address: symbol.address(), bytes: symbol.size() }, is_indirect(&symbol)))
}

/// Whether a symbol is a function that chooses one of several when the program starts.
pub(super) fn is_indirect<'data, S: object::ObjectSymbol<'data>>(symbol: &S) -> bool {
    matches!(symbol.flags(), SymbolFlags::Elf { st_info, .. } if st_info.st_type() == STT_GNU_IFUNC)
}

/// A probe on it would only see it being chosen.
fn indirect_function<'data, R: ReadRef<'data>>(file: &object::File<'data, R>, name: &str, what: &str) -> Error {
    let why = format!("`{name}` is an indirect function: it chooses one of several when the program starts");
    let ending = format!("{}_", name.trim_start_matches('_'));
    let symbols = file.symbols().chain(file.dynamic_symbols());
    let known = symbols.filter(|symbol| !symbol.is_undefined()).filter_map(|symbol| symbol.name().ok());
    let mut chosen: Vec<&str> = known.filter(|other| other.contains(&ending)).collect();
    chosen.dedup();
    chosen.truncate(suggest::LIMIT);
    let error = Error::script(what, why).with_evidence("no process that has the file in use tells which it chose");
    match suggest::similar_line(&chosen) {
        Some(line) => error.with_hint(format!("probe the function that is chosen; {line}")),
        None => error.with_note("the functions that it chooses from have no symbols in this file"),
    }
}

fn no_symbol(name: &str, path: &Path, known: &[&str], what: &str) -> Error {
    let why = format!("no function `{name}` in `{}`", path.display());
    let error = Error::machine(what, why).with_errno(libc::ENOENT);
    let error = error.with_evidence(format!("searched: {} functions in its symbol tables", known.len()));
    match suggest::similar_line(&suggest::nearest(name, known.iter().copied())) {
        Some(line) => error.with_hint(line),
        None if known.is_empty() => error.with_note("the file has no symbols: it was stripped"),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bpf::attach::library;
    use crate::symbolize::process::Mappings;

    fn libc_offset(symbol: &str) -> Result<u64> {
        let path = library::find("c", None, "x")?;
        offset(&path, &UprobePlace::Symbol(symbol.to_owned(), 0), None, "cannot attach uprobe `f`")
    }

    #[test]
    fn symbols_have_offsets() {
        let offset = libc_offset("getpid").unwrap();
        assert!(offset > 0x1000);
        let path = library::find("c", None, "x").unwrap();
        let behind = |plus| super::offset(&path, &UprobePlace::Symbol("getpid".to_owned(), plus), None, "x");
        let by_address = |address| super::offset(&path, &UprobePlace::Address(address), None, "x");
        // Not in the middle of an instruction, whatever this library's are.
        let second = (1..16).find(|&plus| behind(plus).is_ok()).unwrap();
        assert_eq!(behind(second).unwrap(), offset + second);
        assert_eq!(by_address(offset + second).unwrap(), offset + second);
        let err = by_address(offset + second - 1).unwrap_err();
        assert!(second == 1 || err.why().contains("inside an instruction"), "{}", err.report());
        let err = by_address(1 << 40).unwrap_err();
        assert!(err.why().contains("no code at the address 0x10000000000"), "{}", err.report());
    }

    #[test]
    fn errors_name_the_nearest() {
        let err = libc_offset("getpdi").unwrap_err();
        assert!(err.report().contains("similar: getpid"), "{}", err.report());
        let err = offset(Path::new("/etc/passwd"), &UprobePlace::Address(0), None, "x").unwrap_err();
        assert!(err.why().contains("not a program"));
    }

    /// What our own `strlen` is, the dynamic linker told when it filled in its address for us.
    #[test]
    fn indirect_functions_are_the_one_that_was_chosen() {
        let chosen = libc::strlen as *const () as u64;
        let maps = std::fs::read("/proc/self/maps").unwrap();
        let mappings = Mappings::parse(&maps[..]).unwrap();
        let wanted = mappings.at(chosen).unwrap().file_offset(chosen);
        assert_eq!(libc_offset("strlen").unwrap(), wanted);
        let path = library::find("c", None, "x").unwrap();
        let behind = |plus| UprobePlace::Symbol("strlen".to_owned(), plus);
        let of_process = |plus| offset(&path, &behind(plus), Some(std::process::id() as i32), "x");
        let second = (1..16).find(|&plus| of_process(plus).is_ok()).unwrap();
        assert_eq!(of_process(second).unwrap(), wanted + second);
        let place = behind(second);
        // What nobody has in use, nobody tells of.
        let copy = std::env::temp_dir().join(format!("bpflua-test.{}.so", std::process::id()));
        std::fs::copy(&path, &copy).unwrap();
        let err = offset(&copy, &place, None, "x").unwrap_err();
        std::fs::remove_file(&copy).unwrap();
        assert!(err.why().contains("indirect function") && err.report().contains("no process"), "{}", err.report());
    }

    #[test]
    fn programs_have_an_entry() {
        let program = std::env::current_exe().unwrap();
        let start = UprobePlace::Symbol("_start".to_owned(), 0);
        assert_eq!(entry_offset(&program).unwrap(), offset(&program, &start, None, "x").unwrap());
        assert_eq!(entry_offset(Path::new("/etc/passwd")), None);
    }
}
