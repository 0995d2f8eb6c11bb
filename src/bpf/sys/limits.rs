// SPDX-License-Identifier: Apache-2.0
//! Limits of this process.

/// How many files a process may usually have open before it asks for more.
pub const USUAL_OPEN_FILES: usize = 1024;

/// Raises the limit of open files as far as this process may. Where it may not, opening will say so.
pub fn raise_open_files() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a whole `rlimit` that lives through the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0 {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: as above.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    }
}
