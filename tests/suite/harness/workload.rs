// SPDX-License-Identifier: Apache-2.0
//! Work for tracers to see, done by known threads.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::thread;

/// Held while a test uses what two cannot use at once. Other processes that run these tests wait, too.
pub struct OneAtATime(#[allow(dead_code, reason = "holds the lock")] File);

impl OneAtATime {
    /// The kernel's trace pipe: two readers take each other's lines.
    pub fn trace_pipe() -> OneAtATime {
        OneAtATime::hold("trace-pipe")
    }

    /// The processes that stand in for languages' runtimes: tools look for all of a name.
    pub fn runtimes() -> OneAtATime {
        OneAtATime::hold("runtimes")
    }

    fn hold(what: &str) -> OneAtATime {
        let file = File::create(std::env::temp_dir().join(format!("bpflua-test.{what}"))).unwrap();
        // SAFETY: the descriptor is open.
        assert_eq!(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) }, 0, "flock");
        OneAtATime(file)
    }
}

/// The calling thread's ID.
pub fn thread_id() -> u32 {
    // SAFETY: no preconditions.
    unsafe { libc::gettid() as u32 }
}

/// The calling thread under a name that nobody else has.
pub struct Spawner {
    pub comm: String,
}

impl Spawner {
    pub fn new(comm: &str) -> Spawner {
        let name = std::ffi::CString::new(comm).unwrap();
        // SAFETY: the name is a C string; longer ones are cut.
        unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
        Spawner { comm: comm.to_owned() }
    }

    /// One call of clone(2), and no other system call that makes a process.
    pub fn clone_once(&self) {
        // SAFETY: as fork; the child calls nothing but `_exit`.
        let child = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
        if child == 0 {
            // SAFETY: no preconditions.
            unsafe { libc::_exit(0) };
        }
        assert!(child > 0, "clone: {}", std::io::Error::last_os_error());
        let mut status = 0;
        // SAFETY: our own child.
        unsafe { libc::waitpid(child as libc::pid_t, &mut status, 0) };
    }
}

/// Two threads that wake each other `rounds` times on one CPU; their thread IDs.
pub fn ping_pong(rounds: u32) -> (u32, u32) {
    let (mut read_a, write_a) = std::io::pipe().unwrap();
    let (mut read_b, write_b) = std::io::pipe().unwrap();
    let start = |rounds: u32, mut input: std::io::PipeReader, mut output: std::io::PipeWriter, first: bool| {
        thread::spawn(move || {
            stay_on_one_cpu();
            let mut byte = [0];
            if first {
                output.write_all(&byte).unwrap();
            }
            for _ in 0..rounds {
                input.read_exact(&mut byte).unwrap();
                // The other one may have had its last turn.
                let _ = output.write_all(&byte);
            }
            thread_id()
        })
    };
    let a = start(rounds, read_a.try_clone().unwrap(), write_b, true);
    let b = start(rounds, read_b.try_clone().unwrap(), write_a, false);
    let ids = (a.join().unwrap(), b.join().unwrap());
    // Kept open so that no write above can raise SIGPIPE.
    let _ = (&mut read_a, &mut read_b);
    ids
}

fn stay_on_one_cpu() {
    // SAFETY: the set is ours; zeroed is the empty set.
    unsafe {
        let mut allowed: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of_val(&allowed), &mut allowed);
        let first = (0..libc::CPU_SETSIZE as usize).find(|&cpu| libc::CPU_ISSET(cpu, &allowed)).unwrap_or(0);
        let mut one: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(first, &mut one);
        libc::sched_setaffinity(0, size_of_val(&one), &one);
    }
}

/// A histogram in bcc's layout, made from the counts of a text that claims to be one, with the sum of the counts.
pub fn histogram(text: &str, val_type: &str) -> (String, u64) {
    let row = regex::Regex::new(r"(?m)^ *(\d+) -> (\d+) *: (\d+) *\|").unwrap();
    let rows: Vec<[u64; 3]> =
        row.captures_iter(text).map(|found| [1, 2, 3].map(|cell| found[cell].parse().unwrap())).collect();
    let most = rows.iter().map(|row| row[2]).max().unwrap_or(1).max(1);
    let (width, stars) = if rows.len() <= 32 { (10, 40) } else { (20, 20) };
    let (indent, type_width) = if rows.len() <= 32 { (5, 19) } else { (15, 29) };
    let mut wanted = format!("{:indent$}{val_type:<type_width$} : count     distribution\n", "");
    for (slot, [_, _, count]) in rows.iter().enumerate() {
        // Slot 1 is "0 -> 1", slot 2 "2 -> 3", and so on.
        let (low, high) = (if slot == 0 { 0 } else { 1u64 << slot }, (2u128 << slot) - 1);
        let bar = "*".repeat((stars * count / most) as usize);
        wanted += &format!("{low:>width$} -> {high:<width$} : {count:<8} |{bar:<stars$}|\n", stars = stars as usize);
    }
    (wanted, rows.iter().map(|row| row[2]).sum())
}
