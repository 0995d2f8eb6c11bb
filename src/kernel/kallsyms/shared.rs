// SPDX-License-Identifier: Apache-2.0
//! The process's one copy of the running kernel's symbols.

use super::parser::parse_line;
use super::table::Kallsyms;
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the kernel shows its symbols.
pub const PATH: &str = "/proc/kallsyms";

static SHARED: Mutex<Option<Arc<Kallsyms>>> = Mutex::new(None);

/// The running kernel's symbols, read when first asked for and kept until [`forget`].
pub fn shared() -> Result<Arc<Kallsyms>> {
    let mut kept = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(symbols) = kept.as_ref() {
        return Ok(Arc::clone(symbols));
    }
    let symbols = Arc::new(open().and_then(Kallsyms::parse).map_err(|err| unreadable(&err))?);
    *kept = Some(Arc::clone(&symbols));
    Ok(symbols)
}

/// Drops the copy; the next [`shared`] reads anew, with the kernel modules that are loaded then.
pub fn forget() {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner).take();
}

/// The first of `names` that is a symbol of the running kernel. Reads no further than needed and keeps nothing, unless
/// there is a copy already.
pub fn first_existing<'a>(names: &[&'a str]) -> Result<Option<&'a str>> {
    let kept = SHARED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(symbols) = kept {
        return Ok(names.iter().copied().find(|name| symbols.contains(name)));
    }
    open().and_then(|reader| scan_for_first(reader, names)).map_err(|err| unreadable(&err))
}

fn scan_for_first<'a>(mut reader: impl BufRead, names: &[&'a str]) -> io::Result<Option<&'a str>> {
    let mut best = names.len();
    let mut buffer = Vec::with_capacity(256);
    while best > 0 && reader.read_until(b'\n', &mut buffer)? > 0 {
        if let Some(line) = parse_line(&buffer) {
            best = names[..best].iter().position(|&name| name == line.name).unwrap_or(best);
        }
        buffer.clear();
    }
    Ok(names.get(best).copied())
}

fn open() -> io::Result<BufReader<File>> {
    Ok(BufReader::with_capacity(64 << 10, File::open(PATH)?))
}

fn unreadable(err: &io::Error) -> Error {
    Error::io(format!("cannot read the kernel's symbols from `{PATH}`"), err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_list_wins_wherever_it_stands() {
        let text = &b"0 t two\n0 t one\n0 t three\n"[..];
        assert_eq!(scan_for_first(text, &["one", "two"]).unwrap(), Some("one"));
        assert_eq!(scan_for_first(text, &["none", "three", "two"]).unwrap(), Some("three"));
        assert_eq!(scan_for_first(text, &["none"]).unwrap(), None);
        assert_eq!(scan_for_first(text, &[]).unwrap(), None);
    }

    #[test]
    fn the_copy_is_shared_until_it_is_forgotten() {
        let Ok(first) = shared() else {
            println!("skipped: {PATH} cannot be read");
            return;
        };
        assert!(!first.is_empty());
        assert!(first.contains("vfs_read"), "in every kernel that can run this");
        assert_eq!(first_existing(&["no such name", "vfs_read"]).unwrap(), Some("vfs_read"));
        forget();
    }
}
