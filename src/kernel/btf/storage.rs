// SPDX-License-Identifier: Apache-2.0
//! The bytes behind a `Btf`: a vector, or the kernel's own pages mapped. The only unsafe code of the BTF reader.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use crate::error::{Error, Result};

/// Read-only bytes that live as long as the `Btf`.
#[derive(Debug)]
pub(super) enum Storage {
    Owned(Vec<u8>),
    Mapped(Mapping),
}

impl Storage {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Storage::Owned(bytes) => bytes,
            Storage::Mapped(mapping) => mapping.bytes(),
        }
    }
}

/// A file of `/sys/kernel/btf`, open, to be read when its types are first asked for.
#[derive(Debug)]
pub(super) struct Later {
    path: PathBuf,
    file: File,
    /// How many bytes there are.
    pub(super) len: usize,
}

impl Later {
    pub(super) fn open(path: &Path) -> Result<Later> {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len() as usize, file)));
        let (len, file) = opened.map_err(|source| Error::io(cannot_read(path), &source))?;
        Ok(Later { path: path.to_owned(), file, len })
    }

    /// Maps the file, or reads it where the kernel cannot map it.
    pub(super) fn read(&self) -> Result<Storage> {
        if let Ok(mapping) = Mapping::of_sysfs(&self.file, self.len) {
            return Ok(Storage::Mapped(mapping));
        }
        let bytes = read_whole(&self.file).map_err(|source| Error::io(cannot_read(&self.path), &source))?;
        Ok(Storage::Owned(bytes))
    }

    /// What is said of bytes that are no BTF.
    pub(super) fn damaged(&self, why: String) -> Error {
        Error::machine(cannot_read(&self.path), why)
    }
}

/// Reads a file from its start wherever its descriptor stands: a forked child has the same descriptor, and reads it, too.
fn read_whole(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; file.metadata()?.len() as usize + 1];
    let mut filled = 0;
    loop {
        match file.read_at(&mut bytes[filled..], filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if filled == bytes.len() {
            bytes.resize(2 * filled, 0);
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn cannot_read(path: &Path) -> String {
    format!("cannot read type data (BTF) from `{}`", path.display())
}

/// A read-only shared mapping of a whole file.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping is read-only, owned by this value alone, and not tied to a thread.
unsafe impl Send for Mapping {}
// SAFETY: as above; nothing writes through it.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `len` bytes of a file *that nobody can change or shorten*: this is for `/sys/kernel/btf/*`, which the kernel
    /// can map since Linux 6.16 (a539e2a6d51d "btf: Allow mmap of vmlinux btf").
    pub(super) fn of_sysfs(file: &File, len: usize) -> io::Result<Mapping> {
        // SAFETY: a new private mapping at an address the kernel chooses; no memory of ours is touched. The descriptor is
        // open for the length of the call.
        let start =
            unsafe { libc::mmap(std::ptr::null_mut(), len, libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Mapping { start, len })
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: `start` is the start of a mapping of `len` readable bytes which lives until `self` is dropped, and whose
        // content (the kernel's read-only data) never changes.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping made in `of_sysfs`; no reference into it outlives `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_each_time() {
        let file = File::open("/proc/self/maps").unwrap();
        let (first, second) = (read_whole(&file).unwrap(), read_whole(&file).unwrap());
        assert!(first.len() > 1 && second.len() > 1, "its size is said to be 0");
        let file = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
        assert_eq!(read_whole(&file).unwrap(), read_whole(&file).unwrap());
    }
}
