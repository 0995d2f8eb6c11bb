// SPDX-License-Identifier: Apache-2.0
//! `BPF_PROG_TEST_RUN`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::check;

/// The arguments of one `BPF_PROG_TEST_RUN`, and where its results go.
#[derive(Debug, Default)]
pub struct Request<'a> {
    /// The packet; empty where the kind of program has none.
    pub data_in: &'a [u8],
    /// Where the packet goes as the program left it.
    pub data_out: &'a mut [u8],
    /// The context; empty for the kernel's own. A `syscall` program's is written.
    pub ctx_in: &'a mut [u8],
    /// Where the context goes as the program left it; only some kinds take one.
    pub ctx_out: &'a mut [u8],
    /// How often to run it; 0 where the kind allows no choice.
    pub repeat: u32,
    /// `BPF_F_TEST_*`.
    pub flags: u32,
    /// The CPU to run on, with `BPF_F_TEST_RUN_ON_CPU`.
    pub cpu: u32,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the program returned.
    pub retval: u32,
    /// Bytes of `data_out` that were written, or would have been had there been room.
    pub data_size: usize,
    /// The same of `ctx_out`.
    pub ctx_size: usize,
    /// Nanoseconds, on average.
    pub duration_ns: u32,
}

/// Runs a program that is loaded. A buffer that is too small is `ENOSPC`.
pub fn run(prog: BorrowedFd<'_>, request: &mut Request<'_>) -> io::Result<Outcome> {
    let mut opts = libbpf_sys::bpf_test_run_opts {
        sz: size_of::<libbpf_sys::bpf_test_run_opts>() as _,
        data_in: pointer(request.data_in).cast(),
        data_out: pointer_mut(request.data_out).cast(),
        data_size_in: request.data_in.len() as u32,
        data_size_out: request.data_out.len() as u32,
        ctx_in: pointer_mut(request.ctx_in).cast_const().cast(),
        ctx_out: pointer_mut(request.ctx_out).cast(),
        ctx_size_in: request.ctx_in.len() as u32,
        ctx_size_out: request.ctx_out.len() as u32,
        repeat: request.repeat as i32,
        flags: request.flags,
        cpu: request.cpu,
        ..Default::default()
    };
    // SAFETY: every pointer in `opts` is null or points to a buffer of the size given beside it that outlives the call;
    // those that the kernel writes come from exclusive borrows.
    check(unsafe { libbpf_sys::bpf_prog_test_run_opts(prog.as_raw_fd(), ptr::from_mut(&mut opts)) })?;
    Ok(Outcome {
        retval: opts.retval,
        data_size: opts.data_size_out as usize,
        ctx_size: opts.ctx_size_out as usize,
        duration_ns: opts.duration,
    })
}

/// The kernel wants null where there is nothing.
fn pointer(bytes: &[u8]) -> *const u8 {
    if bytes.is_empty() { ptr::null() } else { bytes.as_ptr() }
}

fn pointer_mut(bytes: &mut [u8]) -> *mut u8 {
    if bytes.is_empty() { ptr::null_mut() } else { bytes.as_mut_ptr() }
}
