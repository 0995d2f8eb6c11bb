// SPDX-License-Identifier: Apache-2.0
//! Programs under measurement: started, waited for until they say that they are ready, stopped, ended.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command of words.
pub fn command<S: AsRef<str>>(words: &[S]) -> Command {
    let mut command = Command::new(words[0].as_ref());
    command.args(words[1..].iter().map(AsRef::as_ref));
    command
}

/// A running program that prints lines.
pub struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    errors: File,
    started: Instant,
}

impl Running {
    pub fn start(command: &mut Command) -> Result<Running, String> {
        let errors = memory_file().map_err(|error| format!("memfd: {error}"))?;
        let to = errors.try_clone().map_err(|error| error.to_string())?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(to);
        // SAFETY: one system call between fork and exec. Nothing is left running when this process ends.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
        let lines = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Running { child, lines, errors, started })
    }

    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// The next line of its output.
    pub fn line(&mut self) -> Result<String, String> {
        if self.lines.buffer().is_empty() && !has_input(self.lines.get_ref().as_raw_fd(), PATIENCE) {
            return Err(format!("it said nothing for {} seconds, {}", PATIENCE.as_secs(), self.last_words()));
        }
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) | Err(_) => Err(self.last_words()),
            Ok(_) => Ok(line.trim_end().to_owned()),
        }
    }

    /// The rest of the first line that begins with `word`.
    pub fn line_of(&mut self, word: &str) -> Result<String, String> {
        loop {
            if let Some(rest) = self.line()?.strip_prefix(word) {
                return Ok(rest.trim().to_owned());
            }
        }
    }

    /// Waits for the line `ready`; the time since the start.
    pub fn ready(&mut self) -> Result<Duration, String> {
        self.line_of("ready").map(|_| self.started.elapsed())
    }

    /// What it wrote to its error output.
    pub fn errors(&mut self) -> String {
        let mut words = String::new();
        let _ = self.errors.rewind();
        let _ = self.errors.read_to_string(&mut words);
        words
    }

    fn last_words(&mut self) -> String {
        let words = self.errors();
        let last: Vec<&str> = words.lines().rev().take(3).collect();
        format!("it ended: {}", last.into_iter().rev().collect::<Vec<_>>().join(" / "))
    }

    /// Processor time of all its threads so far, in nanoseconds.
    pub fn cpu_ns(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).into_iter().flatten().flatten();
        let of_task = |path: std::path::PathBuf| {
            let text = fs::read_to_string(path.join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap_or(0)
        };
        tasks.map(|task| of_task(task.path())).sum()
    }

    /// A figure of `/proc/PID/status` in KiB, such as `VmRSS`.
    pub fn kib(&self, name: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN)
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: our own child, which is not waited for yet.
        unsafe { libc::kill(self.pid(), signal) };
    }

    /// Ends it at once; the processor time of it and of what it waited for, its end included, in nanoseconds.
    pub fn kill_counted(mut self) -> f64 {
        let _ = self.child.kill();
        // SAFETY: our own child, not waited for yet; the kernel fills plain data of ours.
        let usage = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            libc::wait4(self.pid(), std::ptr::null_mut(), 0, &raw mut usage);
            usage
        };
        let nanos = |time: libc::timeval| time.tv_sec as f64 * 1e9 + time.tv_usec as f64 * 1e3;
        nanos(usage.ru_utime) + nanos(usage.ru_stime)
    }

    /// Ends it at once.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end; what it printed since.
    pub fn rest(mut self) -> Result<String, String> {
        let mut rest = String::new();
        let _ = self.lines.read_to_string(&mut rest);
        match self.child.wait() {
            Ok(status) if status.success() => Ok(rest),
            Ok(status) => Err(format!("{status}, {}", self.last_words())),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Waits until something can be read, or its other end is closed.
fn has_input(fd: RawFd, patience: Duration) -> bool {
    let mut waited = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one descriptor of ours.
    unsafe { libc::poll(&raw mut waited, 1, patience.as_millis() as i32) > 0 }
}

fn memory_file() -> std::io::Result<File> {
    // SAFETY: the name is NUL-terminated; the descriptor is ours.
    unsafe {
        match libc::memfd_create(c"errors".as_ptr(), libc::MFD_CLOEXEC) {
            fd if fd < 0 => Err(std::io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd).into()),
        }
    }
}

/// Has a command run on these processors only.
pub fn pinned(command: &mut Command, cpu: usize) -> &mut Command {
    // SAFETY: system calls between fork and exec, on a set that is ours.
    unsafe {
        command.pre_exec(move || {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(cpu, &mut set);
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
            Ok(())
        })
    }
}
