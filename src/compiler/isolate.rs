// SPDX-License-Identifier: Apache-2.0
//! Compiles in a forked child of this process.
//!
//! Three things come of it. LLVM 19 keeps the globals of CO-RE accesses in a table that outlives their module
//! (`BPFAbstractMemberAccess::GEPGlobals`), so that a second compilation in one process may crash; a child has done none
//! before. The compiler's memory, some 25 MB, goes with the child. And a fault of clang's or LLVM's ends the child, not a
//! tracer that runs.
//!
//! The parent goes on when the child says that the result is there: the child's end, the giving back of its memory, takes
//! milliseconds that nobody needs to wait for.

use std::ffi::c_int;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::{Deserialize, Serialize};

use super::options::Limits;
use super::shown::Shown;
use super::stage::Stage;
use super::{Compiled, Source, ended};
use crate::error::{Error, Result};
use crate::kernel::btf;
use crate::timings::{self, Phase};

/// clang and LLVM go down into what is nested; most of this is never touched.
pub const STACK_BYTES: usize = 256 << 20;

/// What a text of a few lines takes; most take more.
const ROOM_BYTES: usize = 8 << 20;
const PAGE_BYTES: usize = 4096;

/// Children that have handed over and are about to end.
static ENDING: Mutex<Vec<libc::pid_t>> = Mutex::new(Vec::new());

/// What the child hands back.
#[derive(Serialize, Deserialize)]
enum Outcome {
    Compiled { warnings: Vec<String>, shown: Shown, modules: Vec<String> },
    Failed(Error),
}

/// Runs `work` on `source` in a child and gives what it gave, or what became of the child.
pub fn run(source: &Source, limits: Limits, work: impl FnOnce() -> Result<Compiled>) -> Result<Compiled> {
    let _phase = timings::enter(Phase::CompilerProcess);
    let what = ended::what(source);
    let cannot = |error: io::Error| Error::io(format!("{what}: cannot start the compiler's process"), &error);
    let mut result = memory_file().map_err(cannot)?;
    let mut errors = memory_file().map_err(cannot)?;
    let (mut done, is_done) = pipe().map_err(cannot)?;
    reap(libc::WNOHANG);
    let quiet = btf::quiet();
    // SAFETY: the child only compiles, writes to its own descriptors and leaves by `_exit`; the C library makes its
    // allocator usable in the child of a process with threads.
    let child = unsafe { libc::fork() };
    match child {
        -1 => Err(cannot(io::Error::last_os_error())),
        0 => {
            drop(done);
            in_child(&mut result, is_done, &errors, limits, work)
        }
        _ => {
            drop((quiet, is_done));
            // A byte when the result is there; the end when there will be none.
            let status = match done.read(&mut [0]) {
                Ok(1) => {
                    ENDING.lock().unwrap_or_else(PoisonError::into_inner).push(child);
                    0
                }
                _ => wait(child),
            };
            let mut said = || {
                let mut words = String::new();
                let _ = errors.rewind().and_then(|()| errors.read_to_string(&mut words));
                words
            };
            if let Some(now) = timings::elapsed() {
                Stage::charge(&said(), now);
            }
            collect(&mut result).map_err(|_| ended::error(source, limits, status, &said()))
        }
    }?
}

/// The child's whole life: it never returns.
fn in_child(
    result: &mut File,
    mut is_done: File,
    errors: &File,
    limits: Limits,
    work: impl FnOnce() -> Result<Compiled>,
) -> ! {
    // SAFETY: plain system calls on descriptors that are open.
    unsafe {
        // A parent that is killed takes the child along, and with it the links whose descriptors it has.
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::dup2(errors.as_raw_fd(), libc::STDERR_FILENO);
        // The parent waits for Ctrl-C in its own way; here it is to end what may take long.
        libc::signal(libc::SIGINT, libc::SIG_DFL);
        libc::signal(libc::SIGTERM, libc::SIG_DFL);
    }
    let task = Alone(|| {
        make_room();
        limit(limits);
        let outcome = work();
        Stage::HandOver.enter();
        hand_over(result, outcome)?;
        is_done.write_all(&[1])
    });
    let done = thread::scope(|scope| {
        let compiler = thread::Builder::new().name("compiler".into()).stack_size(STACK_BYTES);
        compiler.spawn_scoped(scope, move || task.run()).map(thread::ScopedJoinHandle::join)
    });
    // SAFETY: the process ends here, without running what its parent registered for its own end.
    unsafe { libc::_exit(c_int::from(!matches!(done, Ok(Ok(Ok(())))))) }
}

/// Work that another thread does while this one waits for it.
struct Alone<F>(F);

// SAFETY: the child's first thread does nothing between starting the other one and its end, so that what the closure
// refers to is never used by two at a time.
unsafe impl<F> Send for Alone<F> {}

impl<F: FnOnce() -> io::Result<()>> Alone<F> {
    fn run(self) -> io::Result<()> {
        (self.0)()
    }
}

/// Waits for the ends of the children that have handed over: none is to be seen beside a tracer that runs.
pub fn await_ends() {
    reap(0);
}

fn reap(flags: c_int) {
    let mut ending = ENDING.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: asks for the end of our own children.
    ending.retain(|&child| unsafe { libc::waitpid(child, std::ptr::null_mut(), flags) } == 0);
}

/// Gives the allocator at once what every compilation takes: page by page, that is two thousand faults and three hundred system
/// calls. In huge pages, where the kernel has them, four of them. Where it cannot (before Linux 5.14) they come as before.
fn make_room() {
    let most = c_int::try_from(2 * ROOM_BYTES).unwrap_or(c_int::MAX);
    // SAFETY: settings of this process's allocator, and memory from it that nobody else has; all but its pages is given back.
    unsafe {
        // The compiler's thread shall take from the same heap.
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_THRESHOLD, most);
        libc::mallopt(libc::M_TRIM_THRESHOLD, most);
        libc::mallopt(libc::M_TOP_PAD, most);
        let room = libc::malloc(ROOM_BYTES);
        if !room.is_null() {
            let start = room.addr().next_multiple_of(PAGE_BYTES) as *mut libc::c_void;
            libc::madvise(start, ROOM_BYTES - PAGE_BYTES, libc::MADV_HUGEPAGE);
            libc::madvise(start, ROOM_BYTES - PAGE_BYTES, libc::MADV_POPULATE_WRITE);
            libc::free(room);
        }
    }
}

/// Limits this process.
fn limit(limits: Limits) {
    let set = |resource, most: u64| {
        // The signal of the first limit says which one it is; that of the second one is everybody's.
        let limit = libc::rlimit { rlim_cur: most, rlim_max: most.saturating_add(1) };
        // SAFETY: the kernel reads the limit; one that the process must not set changes nothing.
        unsafe { libc::setrlimit(resource, &raw const limit) };
    };
    set(libc::RLIMIT_CORE, 0);
    set(libc::RLIMIT_CPU, limits.cpu_seconds);
    // What the process has counts as well: the smallest limit that leaves as much as is allowed.
    let memory = (0..16).map(|doubled| limits.memory_bytes << doubled).find(|&bytes| {
        let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: a mapping of our own that nobody touches, taken back at once.
        unsafe {
            libc::setrlimit(libc::RLIMIT_DATA, &raw const limit);
            let (size, flags) = (limits.memory_bytes as usize, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let trial = libc::mmap(std::ptr::null_mut(), size, protection, flags | libc::MAP_NORESERVE, -1, 0);
            trial != libc::MAP_FAILED && libc::munmap(trial, size) == 0
        }
    });
    if memory.is_none() {
        set(libc::RLIMIT_DATA, libc::RLIM_INFINITY);
    }
}

/// A line of JSON, then the object's bytes.
fn hand_over(result: &mut File, outcome: Result<Compiled>) -> io::Result<()> {
    let (outcome, object) = match outcome {
        Ok(Compiled { object, warnings, shown, modules, .. }) => {
            (Outcome::Compiled { warnings, shown, modules }, object)
        }
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
        Outcome::Compiled { warnings, shown, modules } => {
            Ok(Compiled { object: bytes.split_off(end + 1), warnings, from_cache: false, shown, modules })
        }
        Outcome::Failed(error) => Err(error),
    })
}

fn wait(child: libc::pid_t) -> c_int {
    let mut status = 0;
    // SAFETY: waits for our own child; the status is ours.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } < 0
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
    status
}

/// The reading and the writing end.
fn pipe() -> io::Result<(File, File)> {
    let mut ends = [0; 2];
    // SAFETY: the array takes both descriptors, which the files own from here on.
    unsafe {
        match libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) {
            0 => Ok(ends.map(|end| File::from(OwnedFd::from_raw_fd(end))).into()),
            _ => Err(io::Error::last_os_error()),
        }
    }
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

    fn run(work: impl FnOnce() -> Result<Compiled>) -> Result<Compiled> {
        super::run(&Source::file("a.c", ""), Limits { cpu_seconds: 1, memory_bytes: 64 << 20 }, work)
    }

    #[test]
    fn results_and_errors_come_back_whole() {
        let shown = Shown { ir: Some("a\nb".to_owned()), preprocessed: None };
        let (object, warnings, modules) = (vec![1, b'\n', 0, 255], vec!["w".into()], vec!["m".into()]);
        let compiled = Compiled { object, warnings, from_cache: false, shown, modules };
        assert_eq!(run(|| Ok(compiled.clone())).unwrap(), compiled);
        let error = || Error::script("cannot", "because").with_hint("do").with_errno(2);
        assert_eq!(run(|| Err(error())).unwrap_err().report(), error().report());
    }

    #[test]
    fn a_child_that_handed_over_is_collected() {
        let compiled = || {
            Ok(Compiled {
                object: Vec::new(),
                warnings: Vec::new(),
                from_cache: false,
                shown: Shown::default(),
                modules: Vec::new(),
            })
        };
        run(compiled).unwrap();
        await_ends();
        assert!(ENDING.lock().unwrap().is_empty());
    }

    #[test]
    fn a_crash_is_told_and_survived() {
        // SAFETY: what a fault in the compiler comes to.
        let error = run(|| unsafe { libc::abort() });
        assert_eq!(
            error.unwrap_err().to_string(),
            "cannot compile the C text of `a.c`: the compiler crashed (SIGABRT, signal 6)"
        );
    }

    #[test]
    fn what_takes_too_much_is_ended_and_told() {
        let time = run(|| {
            let mut n = 1_u64;
            loop {
                n = std::hint::black_box(n.wrapping_mul(3));
            }
        });
        let words = "cannot compile the C text of `a.c`: it takes the compiler more than 1 second of processor time";
        assert_eq!(time.unwrap_err().to_string(), words);

        let memory = run(|| {
            let all: Vec<Vec<u8>> = (0..1024).map(|_| vec![1; 1 << 20]).collect();
            let (object, shown) = (all[0].clone(), Shown::default());
            Ok(Compiled { object, warnings: Vec::new(), from_cache: false, shown, modules: Vec::new() })
        });
        let words = "cannot compile the C text of `a.c`: it takes the compiler more than 64 MB of memory";
        assert_eq!(memory.unwrap_err().to_string(), words);
    }

    #[test]
    fn what_is_nested_too_deep_is_told() {
        fn down(n: u64) -> u64 {
            let local = std::hint::black_box([n; 64]);
            if n == 0 { 0 } else { down(n - 1) + local[(n % 64) as usize] }
        }
        let deep = run(|| Err(Error::script("", down(std::hint::black_box(100_000_000)).to_string())));
        assert!(deep.unwrap_err().to_string().ends_with("it is nested deeper than the compiler can follow"));
    }
}
