// SPDX-License-Identifier: Apache-2.0
//! Being stopped and going on (Ctrl-Z, `fg`). The key is rustyline's to handle, on the editor's thread; the signal it sends
//! must stop that thread before it goes on, so no other takes it while keys are read. A stop that came from elsewhere leaves
//! the shell's mode on the terminal: whoever goes on then sets ours again.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, Ordering};

/// Counts how often the process went on. It lives as long as the process.
static CONTINUED: AtomicI32 = AtomicI32::new(-1);

extern "C" fn note(_: libc::c_int) {
    let one = 1_u64.to_ne_bytes();
    // SAFETY: eight valid bytes; write is async-signal-safe. A descriptor that is not there is no harm.
    unsafe { libc::write(CONTINUED.load(Ordering::SeqCst), one.as_ptr().cast(), one.len()) };
}

/// Takes SIGCONT, which goes on whatever its handler does.
pub fn watch() {
    // SAFETY: the handler only writes to a descriptor; sigaction is plain data, for which zero is valid.
    unsafe {
        if CONTINUED.load(Ordering::SeqCst) < 0 {
            CONTINUED.store(libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC), Ordering::SeqCst);
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = note as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGCONT, &raw const action, std::ptr::null_mut());
    }
}

/// Whether the process was stopped and goes on since the last call.
pub fn was() -> bool {
    let mut count = [0_u8; 8];
    // SAFETY: eight bytes of our own; the descriptor does not block.
    unsafe { libc::read(fd(), count.as_mut_ptr().cast(), count.len()) == 8 }
}

/// Readable when `was` has something to tell; below 0 when it cannot be had.
pub fn fd() -> RawFd {
    CONTINUED.load(Ordering::SeqCst)
}

/// Whether this thread takes the signals that stop the process.
pub fn may_stop(may: bool) {
    mask(if may { libc::SIG_UNBLOCK } else { libc::SIG_BLOCK }, &[libc::SIGTSTP]);
}

/// Leaves the signals that end or stop things to the thread that Lua runs on, whose state their handler touches, and to
/// the editor's.
pub fn leave_signals() {
    mask(libc::SIG_BLOCK, &[libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGTSTP]);
}

/// Leaves those that end things to the thread that Lua runs on.
pub fn leave_ends() {
    mask(libc::SIG_BLOCK, &[libc::SIGINT, libc::SIGTERM, libc::SIGHUP]);
}

fn mask(how: libc::c_int, signals: &[libc::c_int]) {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the set is made by `sigemptyset` before it is used; only this thread's mask changes.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), *signal);
        }
        libc::pthread_sigmask(how, set.as_ptr(), std::ptr::null_mut());
    }
}
