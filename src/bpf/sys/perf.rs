// SPDX-License-Identifier: Apache-2.0
//! Perf events that carry a program: kprobes, uprobes and tracepoints.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use super::check_fd;

const IOC_ENABLE: libc::c_ulong = 0x2400;
const IOC_SET_BPF: libc::c_ulong = 0x4004_2408;

/// One perf event to open.
#[derive(Debug, Default)]
pub struct Event<'a> {
    /// `PERF_TYPE_*`, or the number of a probe PMU.
    pub kind: u32,
    /// The tracepoint's id, or the probe PMU's flags.
    pub config: u64,
    /// A kprobe's function or a uprobe's file.
    pub name: Option<&'a CStr>,
    /// An offset in the function or file, or the address when there is no name.
    pub offset: u64,
    /// Only in this process.
    pub pid: Option<i32>,
}

/// Opens a perf event, not yet enabled for any program.
pub fn open(event: &Event<'_>) -> io::Result<OwnedFd> {
    let mut attr = libbpf_sys::perf_event_attr {
        type_: event.kind,
        size: size_of::<libbpf_sys::perf_event_attr>() as u32,
        config: event.config,
        ..Default::default()
    };
    attr.__bindgen_anon_3.config1 = event.name.map_or(0, |name| name.as_ptr() as u64);
    attr.__bindgen_anon_4.config2 = event.offset;
    let pid = event.pid.unwrap_or(-1);
    // A probe fires on every CPU whichever one its event is opened on; with a process given, it follows the process.
    let cpu = if event.pid.is_some() { -1 } else { 0 };
    // SAFETY: `attr` has the size it says; the string that `config1` may point to outlives the call.
    let fd = unsafe {
        libc::syscall(libc::SYS_perf_event_open, &raw const attr, pid, cpu, -1, libbpf_sys::PERF_FLAG_FD_CLOEXEC)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so `fd` is a new descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Opens an event that counts on one CPU, in one process or in all, and lets it count.
pub fn open_counter(kind: u32, config: u64, pid: Option<i32>, cpu: usize) -> io::Result<OwnedFd> {
    let mut attr = libbpf_sys::perf_event_attr {
        type_: kind,
        size: size_of::<libbpf_sys::perf_event_attr>() as u32,
        config,
        ..Default::default()
    };
    let pid = pid.unwrap_or(-1);
    // SAFETY: `attr` has the size it says and outlives the call.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            ptr::from_mut(&mut attr),
            pid,
            cpu as libc::c_int,
            -1,
            libbpf_sys::PERF_FLAG_FD_CLOEXEC,
        )
    };
    check_fd(if fd < 0 { -last_errno() } else { fd as i32 })
}

fn last_errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

/// Lets events through.
pub fn enable(event: BorrowedFd<'_>) -> io::Result<()> {
    ioctl(event, IOC_ENABLE, 0)
}

/// Attaches a program to the event itself, for kernels without perf links.
pub fn set_program(event: BorrowedFd<'_>, prog: BorrowedFd<'_>) -> io::Result<()> {
    ioctl(event, IOC_SET_BPF, prog.as_raw_fd() as libc::c_ulong)
}

fn ioctl(event: BorrowedFd<'_>, request: libc::c_ulong, value: libc::c_ulong) -> io::Result<()> {
    // SAFETY: both requests take a plain number.
    match unsafe { libc::ioctl(event.as_raw_fd(), request, value) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
