// SPDX-License-Identifier: Apache-2.0
//! The process's one copy of the running kernel's symbols.

use super::by_address::may_be_kernel;
use super::parser::parse_line;
use super::table::Kallsyms;
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where the kernel shows its symbols.
pub const PATH: &str = "/proc/kallsyms";

/// Reading anew for addresses that stay unknown may take one part of this many of the time.
const REREAD_SHARE: u32 = 50;

static SHARED: Mutex<Option<Kept>> = Mutex::new(None);

/// How often this process changed the kernel's symbols.
static CHANGES: AtomicU64 = AtomicU64::new(0);

/// The copy and what tells whether it is still good.
struct Kept {
    symbols: Arc<Kallsyms>,
    version: Version,
    read_at: Instant,
    cost: Duration,
}

/// What changes when symbols come and go, as far as that is cheap to see.
#[derive(PartialEq, Eq)]
struct Version {
    /// The folder of kernel modules: how many there are, and when one came or went.
    kernel_modules: Option<(u64, i64, i64)>,
    changes: u64,
}

impl Version {
    fn now() -> Self {
        let folder = fs::metadata("/sys/module").ok();
        let kernel_modules = folder.map(|folder| (folder.nlink(), folder.mtime(), folder.mtime_nsec()));
        Version { kernel_modules, changes: CHANGES.load(Ordering::Relaxed) }
    }
}

impl Kept {
    fn read() -> Result<Self> {
        let read_at = Instant::now();
        let version = Version::now();
        let symbols = Arc::new(open().and_then(Kallsyms::parse).map_err(|err| unreadable(&err))?);
        Ok(Kept { symbols, version, read_at, cost: read_at.elapsed() })
    }

    /// Whether what this copy says of an address is what a new one would say.
    fn knows(&self, address: u64) -> bool {
        match self.symbols.locate(address) {
            // The kernel itself does not change.
            Some(found) if found.symbol.kernel_module.is_none() => true,
            Some(_) => self.version == Version::now(),
            None if !may_be_kernel(address) || self.symbols.addresses_hidden() => true,
            // BPF programs and trampolines of others come and go, and nothing cheap tells.
            None => self.version == Version::now() && self.read_at.elapsed() < self.cost * REREAD_SHARE,
        }
    }
}

/// The running kernel's symbols, read when first asked for and kept until [`forget`].
pub fn shared() -> Result<Arc<Kallsyms>> {
    kept_if(|_| true)
}

/// The running kernel's symbols to locate an address with: read anew when kernel modules or BPF programs were loaded
/// since that the address may lie in.
pub fn shared_with(address: u64) -> Result<Arc<Kallsyms>> {
    kept_if(|kept| kept.knows(address))
}

fn kept_if(good: impl Fn(&Kept) -> bool) -> Result<Arc<Kallsyms>> {
    let mut kept = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = kept.as_ref().filter(|kept| good(kept)) {
        return Ok(Arc::clone(&kept.symbols));
    }
    let read = Kept::read()?;
    Ok(Arc::clone(&kept.insert(read).symbols))
}

/// Reads the symbols anew if others may have come: for a name that is not there.
pub fn refresh() -> Result<()> {
    kept_if(|kept| kept.version == Version::now() && kept.read_at.elapsed() < kept.cost * REREAD_SHARE).map(drop)
}

/// Tells that this process changed the kernel's symbols, by loading a BPF program.
pub fn note_change() {
    CHANGES.fetch_add(1, Ordering::Relaxed);
}

/// Drops the copy; the next [`shared`] reads anew, with the kernel modules that are loaded then.
pub fn forget() {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner).take();
}

/// The first of `names` that is a symbol of the running kernel. Reads no further than needed and keeps nothing, unless
/// there is a copy already.
pub fn first_existing<'a>(names: &[&'a str]) -> Result<Option<&'a str>> {
    let kept = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let symbols = kept.as_ref().map(|kept| Arc::clone(&kept.symbols));
    drop(kept);
    if let Some(symbols) = symbols {
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
