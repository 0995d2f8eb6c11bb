// SPDX-License-Identifier: Apache-2.0
//! The bytes of a whole file, for readers that go from a symbol to its name a thousand times.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Deref;

use memmap2::Mmap;

/// A file's bytes: mapped, or read where the file system maps nothing.
#[derive(Debug)]
pub enum FileBytes {
    /// Pages of the file.
    Mapped(Mmap),
    /// A copy.
    Read(Vec<u8>),
}

impl FileBytes {
    /// The bytes of an open file. Errors are the file system's: `EISDIR` for a directory.
    pub fn of(mut file: &File) -> io::Result<Self> {
        // SAFETY: programs and libraries are replaced, not written in place, while they are in use; one that is cut short
        // during a look at its symbols ends this process, as it would end the linker and every debugger.
        if let Ok(mapped) = unsafe { Mmap::map(file) } {
            return Ok(FileBytes::Mapped(mapped));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(FileBytes::Read(bytes))
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            FileBytes::Mapped(mapped) => mapped,
            FileBytes::Read(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_or_read() {
        let own = File::open(std::env::current_exe().unwrap()).unwrap();
        let bytes = FileBytes::of(&own).unwrap();
        assert!(matches!(bytes, FileBytes::Mapped(_)) && bytes.starts_with(b"\x7fELF"));
        // What procfs has cannot be mapped.
        let status = FileBytes::of(&File::open("/proc/self/status").unwrap()).unwrap();
        assert!(matches!(status, FileBytes::Read(_)) && status.starts_with(b"Name:"));
        assert!(FileBytes::of(&File::open("/").unwrap()).is_err());
    }
}
