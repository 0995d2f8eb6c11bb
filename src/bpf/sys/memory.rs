// SPDX-License-Identifier: Apache-2.0
//! A map's memory, mapped into this process; files that are only memory.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};

/// A new file without a name in any folder, which is gone when it is closed.
pub fn memory_file() -> io::Result<File> {
    // SAFETY: the name is NUL-terminated.
    let fd = unsafe { libc::memfd_create(c"bpflua".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 { Err(io::Error::last_os_error()) } else { super::check_fd(fd).map(File::from) }
}

/// The memory of a map that was made with `BPF_F_MMAPABLE`. Programs write it at the same time.
#[derive(Debug)]
pub struct MapMemory {
    start: NonNull<u8>,
    len: usize,
    writable: bool,
}

impl MapMemory {
    /// Maps `len` bytes; read-only if the map is frozen.
    pub fn map(map: BorrowedFd<'_>, len: usize) -> io::Result<Self> {
        let attempt = |protection| {
            // SAFETY: asks for a new mapping at an address of the kernel's choice.
            let start = unsafe { libc::mmap(ptr::null_mut(), len, protection, libc::MAP_SHARED, map.as_raw_fd(), 0) };
            if start == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(start) }
        };
        let (start, writable) = match attempt(libc::PROT_READ | libc::PROT_WRITE) {
            Ok(start) => (start, true),
            Err(err) if err.raw_os_error() == Some(libc::EPERM) => (attempt(libc::PROT_READ)?, false),
            Err(err) => return Err(err),
        };
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::from_raw_os_error(libc::EFAULT))?;
        Ok(MapMemory { start, len, writable })
    }

    /// The first byte; valid for [`len`](Self::len) bytes while this lives.
    pub fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Bytes mapped.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the memory is empty; it never is.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether writing is allowed (not in `.rodata`).
    pub fn is_writable(&self) -> bool {
        self.writable
    }
}

impl Drop for MapMemory {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `map` with this start and length, and nothing borrows from it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// Has libbpf leave this process's limit of locked memory as it is, which it otherwise lifts before the first object on
/// kernels that count BPF memory against it (before 5.11).
pub fn keep_memlock_limit() {
    // SAFETY: sets a number.
    unsafe { libbpf_sys::libbpf_set_memlock_rlim(0) };
}
