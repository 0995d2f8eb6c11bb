// SPDX-License-Identifier: Apache-2.0
//! The stop flag, and the signals that raise it.
//!
//! The first SIGINT or SIGTERM raises the flag, wakes whoever waits in a loop, and calls the function that was
//! registered with [`on_signal`] (the Lua room arms a debug hook there, for scripts that are in no loop). It also gives
//! the signal back its default action, so that a second one ends the process whatever the script does. Links and maps
//! are descriptors: nothing stays in the kernel.
//!
//! The hook should give way to a script that uses the loop: the loop sees the flag by itself, at the next record or
//! wait, and delivers what is left; an error out of the middle of a handler would lose that.
//!
//! The flag stays up until [`rearm`]; a loop that saw it returns, and so does every later one.

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering};

use once_cell::sync::OnceCell;

use super::sys;

/// A function that the signal handler calls: async-signal-safe, and it neither unwinds nor blocks.
pub type Callback = extern "C" fn(*mut c_void);

static STOP: AtomicBool = AtomicBool::new(false);
/// The signal that raised the flag; 0 when it was not a signal.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
/// Written by the handler, so that a loop which is just going to sleep wakes up.
/// How many signals came since the flag was lowered.
static PRESSES: AtomicU32 = AtomicU32::new(0);
/// Whether a second signal is ours, too.
static KEEP: AtomicBool = AtomicBool::new(false);
static WAKE_FD: AtomicI32 = AtomicI32::new(-1);
static CALLBACK: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static CALLBACK_DATA: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

const SIGNALS: [libc::c_int; 2] = [libc::SIGINT, libc::SIGTERM];

/// Whether everything should come to an end.
#[inline]
pub fn requested() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// The signal that asked for the stop, if it was one.
pub fn signal() -> Option<i32> {
    Some(SIGNAL.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
}

/// How many signals came since the flag was lowered.
pub fn presses() -> u32 {
    PRESSES.load(Ordering::Relaxed)
}

/// Whether the signals stay ours after the first: a prompt outlives what they end. SIGHUP is taken then, too.
pub fn keep(keep: bool) {
    KEEP.store(keep, Ordering::SeqCst);
    let action = if keep { handler as *const () as usize } else { libc::SIG_DFL };
    if action_of(libc::SIGHUP).is_ok_and(|action| action != libc::SIG_IGN) {
        // SAFETY: as in `install`; without it, the hang-up ends the process as ever.
        let _ = unsafe { set_action(libc::SIGHUP, action) };
    }
}

/// Raises the flag as the signal handler does.
pub fn request() {
    STOP.store(true, Ordering::SeqCst);
    wake();
}

/// Lowers the flag and takes the signals again: for the next run in the same process (the REPL's next line).
pub fn rearm() -> io::Result<()> {
    let mut count = [0; 8];
    // Nothing to read means that nobody raised the flag: that is fine.
    let _ = wake_fd().map(|fd| sys::read(fd, &mut count));
    STOP.store(false, Ordering::SeqCst);
    SIGNAL.store(0, Ordering::SeqCst);
    PRESSES.store(0, Ordering::SeqCst);
    install()
}

/// Takes SIGINT and SIGTERM. A signal that the parent process had us ignore (`nohup`, background jobs of a plain shell)
/// stays ignored.
pub fn install() -> io::Result<()> {
    wake_fd()?;
    SIGNALS.into_iter().try_for_each(|signal| {
        if action_of(signal)? == libc::SIG_IGN {
            return Ok(());
        }
        // SAFETY: `on_signal` does only what is async-signal-safe: atomics, write, sigaction, the callback.
        unsafe { set_action(signal, handler as *const () as usize) }
    })
}

/// Registers what the handler calls, or takes it back with `None`.
///
/// # Safety
/// `callback(data)` must be sound to call from a signal handler until it is replaced: async-signal-safe, `data` alive.
pub unsafe fn on_signal(callback: Option<Callback>, data: *mut c_void) {
    CALLBACK.store(std::ptr::null_mut(), Ordering::SeqCst);
    CALLBACK_DATA.store(data, Ordering::SeqCst);
    CALLBACK.store(callback.map_or(std::ptr::null_mut(), |f| f as *mut c_void), Ordering::SeqCst);
}

/// The descriptor that is readable while the flag is up: for `epoll` and `poll`.
pub fn wake_fd() -> io::Result<RawFd> {
    static OWNER: OnceCell<OwnedFd> = OnceCell::new();
    let made = OWNER.get_or_try_init(|| {
        // SAFETY: no pointers.
        let fd = sys::owned(unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) })?;
        WAKE_FD.store(fd.as_raw_fd(), Ordering::SeqCst);
        Ok::<OwnedFd, io::Error>(fd)
    });
    made.map(AsRawFd::as_raw_fd)
}

/// Sleeps for `duration_ns`, or until the flag is up; true when it is.
pub fn sleep(duration_ns: u64) -> bool {
    let end_ns = sys::now_ns().saturating_add(duration_ns);
    let Ok(fd) = wake_fd() else { return requested() };
    loop {
        let left_ns = end_ns.saturating_sub(sys::now_ns());
        if requested() || left_ns == 0 {
            return requested();
        }
        let timeout = libc::timespec {
            tv_sec: (left_ns / 1_000_000_000) as libc::time_t,
            tv_nsec: (left_ns % 1_000_000_000) as libc::c_long,
        };
        let mut watched = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid pollfd, a valid timespec, no signal mask.
        unsafe { libc::ppoll(&mut watched, 1, &timeout, std::ptr::null()) };
    }
}

fn wake() {
    let one = 1u64;
    // SAFETY: eight valid bytes; the result does not matter: a full counter is readable, and no descriptor means that
    // nobody waits. write is async-signal-safe.
    unsafe { libc::write(WAKE_FD.load(Ordering::SeqCst), (&raw const one).cast(), 8) };
}

extern "C" fn handler(signal: libc::c_int) {
    // SAFETY: errno belongs to this thread, which is interrupted and must find it as it was.
    let errno = unsafe { *libc::__errno_location() };
    PRESSES.fetch_add(1, Ordering::SeqCst);
    for signal in SIGNALS.into_iter().filter(|_| !KEEP.load(Ordering::SeqCst)) {
        // SAFETY: the default action replaces ours; sigaction is async-signal-safe.
        let _ = unsafe { set_action(signal, libc::SIG_DFL) };
    }
    let callback = CALLBACK.load(Ordering::SeqCst);
    if !callback.is_null() {
        // SAFETY: `on_signal` stored a `Callback` and vouches for calling it here.
        let callback = unsafe { std::mem::transmute::<*mut c_void, Callback>(callback) };
        callback(CALLBACK_DATA.load(Ordering::SeqCst));
    }
    // Last, so that who sees the flag on another thread finds the rest done, and may rearm.
    SIGNAL.store(signal, Ordering::SeqCst);
    request();
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

fn action_of(signal: libc::c_int) -> io::Result<libc::sighandler_t> {
    // SAFETY: sigaction is plain data, for which zero is valid; a null new action only asks.
    let mut old: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: `old` is valid for writing.
    sys::check(unsafe { libc::sigaction(signal, std::ptr::null(), &mut old) })?;
    Ok(old.sa_sigaction)
}

/// # Safety
/// `action` is `SIG_DFL`, `SIG_IGN`, or the address of an `extern "C" fn(c_int)` that is async-signal-safe.
unsafe fn set_action(signal: libc::c_int, action: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: sigaction is plain data, for which zero is valid: no flags (so that waits end with EINTR), empty mask.
    let mut new: libc::sigaction = unsafe { std::mem::zeroed() };
    new.sa_sigaction = action;
    // SAFETY: `new` is valid; the caller vouches for the action.
    sys::check(unsafe { libc::sigaction(signal, &new, std::ptr::null_mut()) })?;
    Ok(())
}
