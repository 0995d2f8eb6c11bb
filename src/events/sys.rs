// SPDX-License-Identifier: Apache-2.0
//! The system calls of this room, each behind a safe face: epoll, eventfd, mmap, the clock.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::ptr::NonNull;

/// Nanoseconds of `CLOCK_MONOTONIC`, the clock of `bpf_ktime_get_ns`.
pub fn now_ns() -> u64 {
    let mut ts = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `ts` is a valid timespec; this clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut ts) };
    ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
}

/// Bytes of a memory page.
pub fn page_size() -> usize {
    // SAFETY: sysconf has no preconditions.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// The result of a system call as an `io::Result`.
pub fn check<T: Copy + PartialOrd + From<i8>>(result: T) -> io::Result<T> {
    if result < T::from(0) { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Takes ownership of a descriptor that a system call has just returned.
pub fn owned(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: on success the call gave us a new descriptor that nobody else owns.
    check(fd).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `read`, once, without a retry; `Ok(0)` is the end of the file.
pub fn read(fd: RawFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the buffer is valid for its length.
    check(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) }).map(|n| n as usize)
}

/// What the kernel says of a BPF map.
pub fn map_facts(map_fd: RawFd) -> io::Result<libbpf_sys::bpf_map_info> {
    let mut facts = libbpf_sys::bpf_map_info::default();
    let mut len = size_of_val(&facts) as u32;
    // SAFETY: `facts` is valid for `len` bytes.
    match unsafe { libbpf_sys::bpf_map_get_info_by_fd(map_fd, &mut facts, &mut len) } {
        0 => Ok(facts),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}

/// An epoll set whose members are known by a number.
#[derive(Debug)]
pub struct Epoll(OwnedFd);

impl Epoll {
    /// An empty set.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers.
        owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }).map(Epoll)
    }

    /// Adds a descriptor. `edge`: tell of each new readiness once (`EPOLLET`).
    pub fn add(&self, fd: RawFd, token: u64, edge: bool) -> io::Result<()> {
        let edge = if edge { libc::EPOLLET as u32 } else { 0 };
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32 | edge, u64: token };
        // SAFETY: `event` is valid for the call.
        check(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) }).map(|_| ())
    }

    /// Takes a descriptor out.
    pub fn remove(&self, fd: RawFd) -> io::Result<()> {
        let unused = std::ptr::null_mut();
        // SAFETY: EPOLL_CTL_DEL reads no event.
        check(unsafe { libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_DEL, fd, unused) }).map(|_| ())
    }

    /// Waits for up to `timeout_ms` (-1: for ever) and calls `ready` with the number of each ready member. A signal
    /// ends the wait like a timeout.
    pub fn wait(&self, timeout_ms: i32, mut ready: impl FnMut(u64)) -> io::Result<()> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 64];
        // SAFETY: the array is valid for its length.
        let n = unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), events.len() as i32, timeout_ms) };
        match check(n) {
            Ok(n) => events[..n as usize].iter().for_each(|event| ready(event.u64)),
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
        Ok(())
    }
}

/// A range of memory mapped from a descriptor, unmapped on drop.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    size: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `size` bytes of `fd` from `offset`, shared, readable, and `writable` if wanted.
    pub fn new(fd: RawFd, size: usize, offset: i64, writable: bool) -> io::Result<Self> {
        let protection = libc::PROT_READ | if writable { libc::PROT_WRITE } else { 0 };
        // SAFETY: the kernel chooses the place; nothing of ours is replaced.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), size, protection, libc::MAP_SHARED, fd, offset) };
        match NonNull::new(base.cast::<u8>()) {
            Some(base) if base.as_ptr().cast() != libc::MAP_FAILED => Ok(Mapping { base, size }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The first byte.
    pub fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `base` and `size` are those of our own mapping.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.size) };
    }
}
