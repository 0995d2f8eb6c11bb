// SPDX-License-Identifier: Apache-2.0
//! Kernel addresses, from the kernel room's copy of `/proc/kallsyms`.

use super::symbol::{Found, Symbolized, Unknown};
use crate::error::{Error, Result};
use crate::kernel::kallsyms::{self, Symbol};
use crate::kernel::privilege::addresses_hidden;

/// What bcc calls the kernel itself among kernel modules.
const KERNEL: &str = "kernel";

/// The function that a kernel address lies in. Fails when the kernel does not tell its addresses.
pub fn symbolize(address: u64) -> Result<Symbolized> {
    let symbols = kallsyms::shared_with(address)?;
    if symbols.addresses_hidden() {
        return Err(addresses_hidden("cannot find the names of kernel addresses"));
    }
    Ok(match symbols.locate(address) {
        Some(located) => Ok(Found {
            name: located.symbol.name.to_owned(),
            offset: located.offset,
            module: located.symbol.kernel_module.unwrap_or(KERNEL).to_owned(),
        }),
        None => Err(Unknown::nowhere("no symbol of the kernel is there")),
    })
}

/// Where a symbol of the kernel is.
#[derive(Debug)]
pub enum Place {
    /// At this address.
    At(u64),
    /// There is one of that name, but the kernel hides its addresses; the error says why.
    Hidden(Error),
    /// There is none of that name.
    Nowhere,
}

/// The place of a kernel symbol; of several with the name, the first that is code. `kernel_module` narrows it down, with
/// `kernel` for the kernel itself. Looks again when the name is not there: a kernel module may have been loaded since.
pub fn place_of(kernel_module: Option<&str>, name: &str) -> Result<Place> {
    match find(kernel_module, name)? {
        Place::Nowhere => {
            kallsyms::refresh()?;
            find(kernel_module, name)
        }
        place => Ok(place),
    }
}

fn find(kernel_module: Option<&str>, name: &str) -> Result<Place> {
    let symbols = kallsyms::shared()?;
    let mut named = symbols
        .find_all(name)
        .filter(|symbol| kernel_module.is_none_or(|wanted| symbol.kernel_module.unwrap_or(KERNEL) == wanted));
    let Some(first) = named.next() else { return Ok(Place::Nowhere) };
    if symbols.addresses_hidden() {
        return Ok(Place::Hidden(addresses_hidden("cannot find the addresses of kernel symbols")));
    }
    let chosen = if first.is_code() { first } else { named.find(Symbol::is_code).unwrap_or(first) };
    Ok(Place::At(chosen.address))
}

/// Reads the kernel's symbols anew.
pub fn refresh() -> Result<()> {
    kallsyms::forget();
    kallsyms::shared().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_kernel_is_found_by_its_address() {
        let symbols = match kallsyms::shared() {
            Ok(symbols) if !symbols.addresses_hidden() => symbols,
            _ => {
                println!("skipped: {} does not tell addresses here", kallsyms::PATH);
                return;
            }
        };
        let mut tried = 0;
        for symbol in symbols.iter().filter(Symbol::is_code).step_by(97) {
            let found = symbolize(symbol.address + 1).unwrap().unwrap();
            // Another name may stand for the same address, or for the byte behind it.
            let same = symbols.find_all(&found.name).any(|other| other.address + found.offset == symbol.address + 1);
            assert!(same, "{symbol:?} {found:?}");
            tried += 1;
        }
        assert!(tried > 100);
        let place = |kernel_module, name| match place_of(kernel_module, name).unwrap() {
            Place::At(address) => Some(address),
            Place::Hidden(error) => panic!("{error}"),
            Place::Nowhere => None,
        };
        let read = place(None, "vfs_read").unwrap();
        assert_eq!(symbolize(read).unwrap().unwrap().name, "vfs_read");
        assert_eq!(place(Some("kernel"), "vfs_read"), Some(read));
        assert_eq!(place(Some("no_such_kernel_module"), "vfs_read"), None);
        assert_eq!(place(None, "no_such_function"), None);
        assert!(symbolize(0).unwrap().is_err() && symbolize(u64::MAX).unwrap().is_err());
    }
}
