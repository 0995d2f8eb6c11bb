// SPDX-License-Identifier: Apache-2.0
//! Where the instructions of a user function begin.
//!
//! The kernel writes a breakpoint wherever a uprobe is asked for. In the middle of an instruction, or behind a function, it
//! becomes part of another instruction, and the traced program crashes.

use iced_x86::{Decoder, DecoderOptions};
use object::read::ReadRef;
use object::{Architecture, Object as _, ObjectSegment as _, ObjectSymbol as _, SymbolKind};

use crate::error::{Error, Result};

/// Bytes of an instruction of arm64.
const ARM64_BYTES: u64 = 4;

/// A function in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its address as the symbol tables have it.
    pub address: u64,
    /// Its length; 0 where the tables do not say.
    pub bytes: u64,
}

/// Fails where no instruction begins at `plus` bytes from the start of a function. What cannot be told passes: a function
/// whose symbol has no length and whose file says nothing else, and code that this does not decode.
pub fn check<'data, R: ReadRef<'data>>(
    file: &object::File<'data, R>,
    function: Extent,
    plus: u64,
    name: &str,
    what: &str,
) -> Result<()> {
    if plus == 0 {
        return Ok(());
    }
    if function.bytes > 0 && plus >= function.bytes {
        let why = format!("`{name}` is {} bytes long: the offset {plus} is behind its end", function.bytes);
        return Err(Error::script(what, why));
    }
    let Some((before, length)) = around(file, function, plus).filter(|(before, _)| *before != plus) else {
        return Ok(());
    };
    let error = Error::script(what, format!("the offset {plus} of `{name}` is inside an instruction"));
    let error = error.with_evidence(format!("the one at offset {before} is {length} bytes long"));
    let next = Some(before + length).filter(|next| function.bytes == 0 || *next < function.bytes);
    Err(error.with_hint(match next {
        Some(next) => format!("instructions begin at the offsets {before} and {next}"),
        None => format!("the function's last instruction begins at the offset {before}"),
    }))
}

/// The function with code at an address, where the symbol tables have one with a length.
pub fn function_at<'data, R: ReadRef<'data>>(file: &object::File<'data, R>, address: u64) -> Option<(Extent, String)> {
    let symbols = file.symbols().chain(file.dynamic_symbols());
    let holds = |start: u64, bytes: u64| address.checked_sub(start).is_some_and(|within| within < bytes);
    let mut functions =
        symbols.filter(|symbol| symbol.kind() == SymbolKind::Text && holds(symbol.address(), symbol.size()));
    let found = functions.next()?;
    Some((Extent { address: found.address(), bytes: found.size() }, found.name().ok()?.to_owned()))
}

/// The offset and the length of the instruction that the byte at `plus` is part of; `None` where that cannot be told.
fn around<'data, R: ReadRef<'data>>(file: &object::File<'data, R>, function: Extent, plus: u64) -> Option<(u64, u64)> {
    let bits = match file.architecture() {
        Architecture::X86_64 => 64,
        Architecture::I386 => 32,
        Architecture::Aarch64 => return Some((plus / ARM64_BYTES * ARM64_BYTES, ARM64_BYTES)),
        _ => return None,
    };
    // The longest instruction has 15 bytes.
    let wanted = if function.bytes > 0 { function.bytes } else { plus + 15 };
    let code = file.segments().find_map(|segment| {
        let (address, size) = (segment.address(), segment.size());
        let left = function.address.checked_sub(address).and_then(|within| size.checked_sub(within))?;
        segment.data_range(function.address, wanted.min(left)).ok()?
    })?;
    starts(code, bits).find(|&(start, length)| plus < start + length)
}

/// The offsets and lengths of the instructions of x86 code, up to the first that is none.
fn starts(code: &[u8], bits: u32) -> impl Iterator<Item = (u64, u64)> {
    let mut decoder = Decoder::new(bits, code, DecoderOptions::NONE);
    std::iter::from_fn(move || {
        let start = decoder.position() as u64;
        let instruction = decoder.can_decode().then(|| decoder.decode())?;
        (!instruction.is_invalid()).then_some((start, instruction.len() as u64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_have_starts() {
        // endbr64; push %rbp; mov %rsp,%rbp; movabs $…,%rax; ret; then what is no instruction.
        let code =
            [0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48, 0x89, 0xe5, 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 0xc3, 0x06, 0x90];
        let found: Vec<_> = starts(&code, 64).collect();
        assert_eq!(found, [(0, 4), (4, 1), (5, 3), (8, 10), (18, 1)]);
    }

    #[test]
    fn offsets_into_the_c_library() {
        let path = crate::bpf::attach::library::find("c", None, "x").unwrap();
        let bytes = std::fs::read(path).unwrap();
        let file = object::File::parse(&bytes[..]).unwrap();
        let symbol = file.dynamic_symbols().find(|symbol| symbol.name() == Ok("getpid")).unwrap();
        let function = Extent { address: symbol.address(), bytes: symbol.size() };
        let allowed = |plus| check(&file, function, plus, "getpid", "cannot attach uprobe");
        let good = (0..function.bytes).filter(|plus| allowed(*plus).is_ok()).count();
        // `mov $39, %eax`, `syscall`, `ret` and their like: some begin there, not at every byte.
        assert!(good >= 3 && good < function.bytes as usize, "{good} of {}", function.bytes);
        let error = allowed(function.bytes).unwrap_err();
        assert!(error.why().contains("is behind its end"), "{}", error.report());
        assert_eq!(function_at(&file, function.address + 1).unwrap().0, function);
        assert_eq!(function_at(&file, 1), None);
    }
}
