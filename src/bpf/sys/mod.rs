// SPDX-License-Identifier: Apache-2.0
//! The room's system calls and raw libbpf calls: the only unsafe code here beside [`super::ffi`].
//!
//! Functions take and return plain Rust values; a failure is an `std::io::Error` with the errno.

pub mod attach;
pub mod btf;
pub mod filters;
pub mod inventory;
pub mod limits;
pub mod link;
pub mod link_info;
pub mod map;
pub mod memory;
pub mod names;
pub mod net;
pub mod object;
pub mod perf;
pub mod pinning;
pub mod prog;
pub mod test_run;

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// The outcome of a libbpf call that returns `-errno` on failure.
fn check(ret: i32) -> io::Result<i32> {
    if ret < 0 { Err(io::Error::from_raw_os_error(-ret)) } else { Ok(ret) }
}

/// The outcome of a libbpf call that returns a new descriptor or `-errno`.
fn check_fd(ret: i32) -> io::Result<OwnedFd> {
    let fd = check(ret)?;
    // SAFETY: the call succeeded, so `fd` is a new descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
