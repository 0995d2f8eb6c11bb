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

/// The first bytes of `struct perf_event_attr`, as many as the caller knows; the kernel takes the rest as zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attr(Vec<u8>);

/// How often an event is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Once every so many events.
    Period(u64),
    /// So many times a second.
    Frequency(u64),
}

impl Attr {
    /// Samples of an event; with `inherit` also in processes that the watched one makes later.
    pub fn sampling(kind: u32, config: u64, sampling: Sampling, inherit: bool) -> Attr {
        let mut attr = libbpf_sys::perf_event_attr { type_: kind, config, ..Default::default() };
        attr.set_inherit(inherit.into());
        match sampling {
            Sampling::Period(events) => attr.__bindgen_anon_1.sample_period = events,
            Sampling::Frequency(hertz) => {
                attr.set_freq(1);
                attr.__bindgen_anon_1.sample_freq = hertz;
            }
        }
        let size = size_of_val(&attr);
        // SAFETY: the structure is `repr(C)` without padding, every byte of it set, and copied here.
        let bytes = unsafe { std::slice::from_raw_parts((&raw const attr).cast::<u8>(), size) };
        Attr::from_bytes(bytes.to_vec())
    }

    /// Bytes laid out as the kernel's structure; its member `size` is set to how many they are.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Attr {
        let size = (bytes.len() as u32).to_ne_bytes();
        if let Some(member) = bytes.get_mut(4..8) {
            member.copy_from_slice(&size);
        }
        Attr(bytes)
    }

    /// The member `type`.
    pub fn kind(&self) -> u32 {
        self.0.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes))
    }

    /// The member `config`.
    pub fn config(&self) -> u64 {
        self.0.get(8..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_ne_bytes(*bytes))
    }
}

/// Where an event is counted.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// Only in this process; in all when negative.
    pub pid: i32,
    /// Only on this CPU; on all when negative, for which the kernel wants a process.
    pub cpu: i32,
    /// Together with this event; alone when negative.
    pub group_fd: i32,
}

/// Opens an event of which every attribute is given.
pub fn open_attr(attr: &Attr, scope: Scope) -> io::Result<OwnedFd> {
    let Scope { pid, cpu, group_fd } = scope;
    let flags = libbpf_sys::PERF_FLAG_FD_CLOEXEC;
    // SAFETY: the attributes have the size that they say in their member `size`, and outlive the call. Pointers among
    // them are read by the kernel with its own care.
    let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, attr.0.as_ptr(), pid, cpu, group_fd, flags) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so `fd` is a new descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
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
