// SPDX-License-Identifier: Apache-2.0
//! perf_event_open(2): just what the feature probes ask of it.

use super::attr::Attr;
use std::ffi::CStr;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// `sizeof(struct perf_event_attr)` at version 5 (Linux 4.1): all that is set here lies inside.
const ATTR_SIZE: u32 = 112;
/// The event starts disabled: bit 0 of the attribute's flags.
const DISABLED: u64 = 1;
/// `PERF_FLAG_FD_CLOEXEC` of include/uapi/linux/perf_event.h.
const CLOEXEC: libc::c_ulong = 1 << 3;

/// A perf event that counts nothing until it is enabled, which no probe does.
#[derive(Default)]
pub(in crate::kernel) struct Event<'a> {
    pub pmu: u32,
    pub config: u64,
    pub read_format: u64,
    /// `config1` as a string: the function of a kprobe, the file of a uprobe.
    pub text: Option<&'a CStr>,
    /// `config2`: the offset in either.
    pub offset: u64,
    /// Count the whole of CPU 0 rather than this process.
    pub whole_cpu: bool,
}

/// Opens the event, disabled.
pub(in crate::kernel) fn open(event: &Event<'_>) -> io::Result<OwnedFd> {
    let mut attr = Attr::new()
        .u32(0, event.pmu)
        .u32(4, ATTR_SIZE)
        .u64(8, event.config)
        .u64(32, event.read_format)
        .u64(40, DISABLED)
        .u64(64, event.offset);
    if let Some(text) = event.text {
        attr = attr.pointer(56, text.to_bytes_with_nul());
    }
    let (pid, cpu) = if event.whole_cpu { (-1, 0) } else { (0, -1) };
    // SAFETY: the block lives through the call, says its own size, which is below that of `Attr`, and its one pointer
    // is to a string that `event` borrows.
    let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, attr.as_mut_ptr(), pid, cpu, -1, CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: perf_event_open returned a new descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}
