// SPDX-License-Identifier: Apache-2.0
//! Attaching without links, for kernels or places that have none; and to sockets.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::check;

/// Attaches a program to a control group, a map or this network namespace. It stays until it is detached.
pub fn attach(prog: BorrowedFd<'_>, target: i32, attach_type: u32, flags: u32) -> io::Result<()> {
    // SAFETY: takes numbers.
    check(unsafe { libbpf_sys::bpf_prog_attach(prog.as_raw_fd(), target, attach_type, flags) }).map(drop)
}

/// Detaches this program from there.
pub fn detach(prog: BorrowedFd<'_>, target: i32, attach_type: u32) -> io::Result<()> {
    // SAFETY: takes numbers.
    check(unsafe { libbpf_sys::bpf_prog_detach2(prog.as_raw_fd(), target, attach_type) }).map(drop)
}

/// Makes a program the filter of a socket, in place of any other.
pub fn set_socket_filter(socket: BorrowedFd<'_>, prog: BorrowedFd<'_>) -> io::Result<()> {
    let fd = prog.as_raw_fd();
    // SAFETY: the option's value is a descriptor, an `int` of the size given, which outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_BPF,
            (&raw const fd).cast(),
            size_of_val(&fd) as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A descriptor of our own for what the user's number stands for.
pub fn duplicate(number: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes numbers; a number that is no open descriptor is an error.
    let fd = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so `fd` is a new descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The numbers of the programs attached to a control group or a network namespace, and the flags of their attachment.
pub fn attached(target: BorrowedFd<'_>, attach_type: u32) -> io::Result<(Vec<u32>, u32)> {
    let (mut ids, mut flags, mut count) = (vec![0_u32; 64], 0, 64);
    let target = target.as_raw_fd();
    // SAFETY: `ids` has room for `count` numbers; the others are numbers to write.
    check(unsafe { libbpf_sys::bpf_prog_query(target, attach_type, 0, &mut flags, ids.as_mut_ptr(), &mut count) })?;
    ids.truncate(count as usize);
    Ok((ids, flags))
}
