// SPDX-License-Identifier: Apache-2.0
//! Compiles in a forked child of this process.
//!
//! Three things come of it. LLVM 19 keeps the globals of CO-RE accesses in a table that outlives their module
//! (`BPFAbstractMemberAccess::GEPGlobals`), so that a second compilation in one process may crash; a child has done none
//! before. The compiler's memory, some 25 MB, goes with the child. And a fault of clang's or LLVM's ends the child, not a
//! tracer that runs.

use std::ffi::c_int;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use super::Compiled;
use crate::error::{Error, Result};

/// What the child hands back.
#[derive(Serialize, Deserialize)]
enum Outcome {
    Compiled { warnings: Vec<String> },
    Failed(Error),
}

/// Runs `work` in a child and gives what it gave. `what` names the work for the error when the child dies.
pub fn run(what: &str, work: impl FnOnce() -> Result<Compiled>) -> Result<Compiled> {
    let cannot = |error: io::Error| Error::io(format!("{what}: cannot start the compiler's process"), &error);
    let mut result = memory_file().map_err(cannot)?;
    let mut errors = memory_file().map_err(cannot)?;
    // SAFETY: the child only compiles, writes to its own descriptors and leaves by `_exit`; the C library makes its
    // allocator usable in the child of a process with threads.
    let child = unsafe { libc::fork() };
    match child {
        -1 => Err(cannot(io::Error::last_os_error())),
        0 => in_child(&mut result, &errors, work),
        _ => {
            let status = wait(child);
            collect(&mut result).map_err(|_| died(what, status, &mut errors))
        }
    }?
}

/// The child's whole life: it never returns.
fn in_child(result: &mut File, errors: &File, work: impl FnOnce() -> Result<Compiled>) -> ! {
    // SAFETY: plain system calls on descriptors that are open; the process ends here, without running what its parent
    // registered for its own end.
    unsafe {
        // A parent that is killed takes the child along, and with it the links whose descriptors it has.
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::dup2(errors.as_raw_fd(), libc::STDERR_FILENO);
        let done = catch_unwind(AssertUnwindSafe(|| hand_over(result, work())));
        libc::_exit(c_int::from(!matches!(done, Ok(Ok(())))));
    }
}

/// A line of JSON, then the object's bytes.
fn hand_over(result: &mut File, outcome: Result<Compiled>) -> io::Result<()> {
    let (outcome, object) = match outcome {
        Ok(compiled) => (Outcome::Compiled { warnings: compiled.warnings }, compiled.object),
        Err(error) => (Outcome::Failed(error), Vec::new()),
    };
    let mut bytes = serde_json::to_vec(&outcome)?;
    bytes.push(b'\n');
    bytes.extend(object);
    result.write_all(&bytes)
}

fn collect(result: &mut File) -> io::Result<Result<Compiled>> {
    result.rewind()?;
    let mut bytes = Vec::new();
    result.read_to_end(&mut bytes)?;
    let end = bytes.iter().position(|&byte| byte == b'\n').ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(match serde_json::from_slice(&bytes[..end])? {
        Outcome::Compiled { warnings } => {
            Ok(Compiled { object: bytes.split_off(end + 1), warnings, from_cache: false })
        }
        Outcome::Failed(error) => Err(error),
    })
}

/// The error for a child that ended without a word, with the last lines it wrote.
fn died(what: &str, status: c_int, errors: &mut File) -> Error {
    let how = if libc::WIFSIGNALED(status) {
        format!("the compiler crashed (signal {})", libc::WTERMSIG(status))
    } else {
        "the compiler gave up".to_owned()
    };
    let mut text = String::new();
    let _ = errors.rewind().and_then(|()| errors.read_to_string(&mut text));
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(8));
    last.fold(Error::bug(what, how), |error, line| error.with_evidence(*line))
}

fn wait(child: libc::pid_t) -> c_int {
    let mut status = 0;
    // SAFETY: waits for our own child; the status is ours.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } < 0
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
    status
}

fn memory_file() -> io::Result<File> {
    // SAFETY: the name is NUL-terminated; a descriptor that was made is owned by the file from here on.
    unsafe {
        let fd = libc::memfd_create(c"bpflua-compiler".as_ptr(), libc::MFD_CLOEXEC);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(File::from_raw_fd(fd)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_errors_come_back_whole() {
        let compiled = Compiled { object: vec![1, b'\n', 0, 255], warnings: vec!["w".into()], from_cache: false };
        assert_eq!(run("work", || Ok(compiled.clone())).unwrap(), compiled);
        let error = || Error::script("cannot", "because").with_hint("do").with_errno(2);
        assert_eq!(run("work", || Err(error())).unwrap_err().report(), error().report());
    }

    #[test]
    fn a_crash_is_told_and_survived() {
        let error = run("cannot compile `a.c`", || {
            // SAFETY: what a fault in the compiler comes to.
            unsafe { libc::abort() }
        });
        assert_eq!(error.unwrap_err().to_string(), "cannot compile `a.c`: the compiler crashed (signal 6)");
    }
}
