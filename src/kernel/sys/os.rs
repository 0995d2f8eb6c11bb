// SPDX-License-Identifier: Apache-2.0
//! Plain system calls: names of the kernel, users, limits, mounts.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// What uname(2) says, as far as it is used.
pub(in crate::kernel) struct Uname {
    pub release: String,
    pub version: String,
    pub machine: String,
}

/// uname(2). It cannot fail with a good pointer; were it to, the names are empty.
pub(in crate::kernel) fn uname() -> Uname {
    let mut names = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the pointer is to a whole `utsname`; all-zero bytes are one too, so reading it is sound even on failure.
    let names = unsafe {
        libc::uname(names.as_mut_ptr());
        names.assume_init()
    };
    Uname { release: field(&names.release), version: field(&names.version), machine: field(&names.machine) }
}

fn field(chars: &[libc::c_char]) -> String {
    chars.iter().map(|&byte| byte as u8).take_while(|&byte| byte != 0).map(char::from).collect()
}

/// The effective user of this process.
pub(in crate::kernel) fn effective_uid() -> u32 {
    // SAFETY: geteuid takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// The soft limit on locked memory in bytes; `None` when there is no limit.
pub(in crate::kernel) fn memlock_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a whole `rlimit` that lives through the call.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &mut limit) };
    (result == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

/// The size of a page of memory in bytes.
pub(in crate::kernel) fn page_size() -> u32 {
    // SAFETY: sysconf takes a number and touches no memory of ours.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u32::try_from(size).ok().filter(|size| size.is_power_of_two()).unwrap_or(4096)
}

/// How far apart the values of the coarse clock are, in nanoseconds: one tick of the kernel's.
pub(in crate::kernel) fn tick_ns() -> u64 {
    let mut step = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a whole `timespec` that lives through the call; on failure it stays 0.
    unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC_COARSE, &mut step) };
    u64::try_from(step.tv_nsec).unwrap_or(0)
}

/// Mounts a file system that needs no device (`tracefs`, `debugfs`) at `target`.
pub(in crate::kernel) fn mount(file_system: &CStr, target: &CStr) -> io::Result<()> {
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC | libc::MS_RELATIME;
    // SAFETY: all strings end in NUL and live through the call; these file systems take no data.
    let result =
        unsafe { libc::mount(file_system.as_ptr(), target.as_ptr(), file_system.as_ptr(), flags, std::ptr::null()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// An instance of a file system that needs no device, mounted nowhere: only this process sees it, read-only, through
/// the descriptor, and it is gone with it. Added in Linux 5.2.
pub(in crate::kernel) fn mount_detached(file_system: &CStr) -> io::Result<OwnedFd> {
    /// `FSCONFIG_CMD_CREATE`
    const CREATE: i32 = 6;
    /// `FSOPEN_CLOEXEC`, and likewise `FSMOUNT_CLOEXEC`
    const CLOEXEC: i32 = 1;
    /// `MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC`
    const ATTRIBUTES: i32 = 0xf;
    // SAFETY: the name ends in NUL and lives through the call; the call touches no other memory of ours.
    let context = new_descriptor(unsafe { libc::syscall(libc::SYS_fsopen, file_system.as_ptr(), CLOEXEC) })?;
    let nothing = std::ptr::null::<u8>();
    // SAFETY: this command takes neither key nor value: both are null.
    let created = unsafe { libc::syscall(libc::SYS_fsconfig, context.as_raw_fd(), CREATE, nothing, nothing, 0) };
    if created < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call takes numbers and touches no memory of ours.
    new_descriptor(unsafe { libc::syscall(libc::SYS_fsmount, context.as_raw_fd(), CLOEXEC, ATTRIBUTES) })
}

/// Takes over the descriptor that a system call returned.
fn new_descriptor(result: libc::c_long) -> io::Result<OwnedFd> {
    match i32::try_from(result) {
        // SAFETY: the callers pass the result of a call that makes a new descriptor, which nothing else owns.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A file in memory that nobody else knows of.
pub(in crate::kernel) fn memory_file(name: &CStr) -> io::Result<File> {
    // SAFETY: the name ends in NUL and lives through the call.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
    new_descriptor(fd.into()).map(File::from)
}

/// The network devices of this network namespace: numbers and names.
pub(in crate::kernel) fn network_devices() -> io::Result<Vec<(u32, String)>> {
    // SAFETY: takes nothing; gives null or an array that ends with a zero index, freed below.
    let list = unsafe { libc::if_nameindex() };
    if list.is_null() {
        return Err(io::Error::last_os_error());
    }
    let mut devices = Vec::new();
    let mut at = list;
    // SAFETY: each element up to the one with index 0 is whole, and its name is a C string; all are copied before the
    // list is freed, once.
    unsafe {
        while (*at).if_index != 0 {
            devices.push(((*at).if_index, CStr::from_ptr((*at).if_name).to_string_lossy().into_owned()));
            at = at.add(1);
        }
        libc::if_freenameindex(list);
    }
    Ok(devices)
}
