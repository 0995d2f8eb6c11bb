// SPDX-License-Identifier: Apache-2.0
//! Paths in a BPF file system.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::{check, check_fd};

/// `BPF_FS_MAGIC` of `linux/magic.h`.
const BPF_FS_MAGIC: i64 = 0xcafe_4a11;

/// A descriptor of what is pinned at `path`.
pub fn open(path: &str) -> io::Result<OwnedFd> {
    let path = CString::new(path)?;
    // SAFETY: `path` is a C string.
    check_fd(unsafe { libbpf_sys::bpf_obj_get(path.as_ptr()) })
}

/// Pins what `fd` is of at `path`, whose folder must exist.
pub fn pin(fd: BorrowedFd<'_>, path: &str) -> io::Result<()> {
    let path = CString::new(path)?;
    // SAFETY: `path` is a C string.
    check(unsafe { libbpf_sys::bpf_obj_pin(fd.as_raw_fd(), path.as_ptr()) }).map(drop)
}

/// Whether a file or folder is in a BPF file system.
pub fn is_bpf_fs(path: &Path) -> io::Result<bool> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: `statfs` is plain numbers, for which zero is a value.
    let mut found: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: `path` is a C string and `found` has room for the answer.
    match unsafe { libc::statfs(path.as_ptr(), &raw mut found) } {
        0 => Ok(found.f_type as i64 == BPF_FS_MAGIC),
        _ => Err(io::Error::last_os_error()),
    }
}
