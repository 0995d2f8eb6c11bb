// SPDX-License-Identifier: Apache-2.0
//! The real executable, started, watched and ended.

use std::ffi::OsStr;
use std::io::{Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::needs::vm_series;

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The time within which anything must happen: long, because it is only ever waited for when a test fails.
pub fn deadline() -> Duration {
    let told = std::env::var("BPFLUA_TEST_DEADLINE").ok().and_then(|seconds| seconds.parse().ok());
    // Virtual machines are emulated, some ten times slower.
    Duration::from_secs(told.unwrap_or(if vm_series().is_some() { 240 } else { 40 }))
}

/// The project's root.
pub fn root_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An empty folder for one test, below `target/`.
pub fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// In a virtual machine: the object that [`super::super::vm`] compiled outside of it.
pub fn portable_object() -> Option<PathBuf> {
    vm_series().map(|_| Path::new(env!("CARGO_TARGET_TMPDIR")).join("portable.o"))
}

/// A command line that runs bpflua.
pub struct Bpflua {
    command: Command,
    input: Vec<u8>,
}

/// bpflua with these arguments, in the project's root, with a cache of the tests' own.
pub fn bpflua<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Bpflua {
    Bpflua::under(&[], args)
}

impl Bpflua {
    /// The same as arguments of another command, such as `setpriv`.
    pub fn under<A: AsRef<OsStr>>(wrapper: &[&str], args: impl IntoIterator<Item = A>) -> Bpflua {
        Bpflua::other(wrapper, &[env!("CARGO_BIN_EXE_bpflua").to_owned()], args)
    }

    /// Another program in its place, as words.
    pub fn other<A: AsRef<OsStr>>(wrapper: &[&str], program: &[String], args: impl IntoIterator<Item = A>) -> Bpflua {
        let mut words = wrapper.iter().copied().chain(program.iter().map(String::as_str));
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).args(args).current_dir(root_folder());
        command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        Bpflua { command, input: Vec::new() }
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Bpflua {
        self.command.env(name, value);
        self
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Bpflua {
        self.command.arg(arg);
        self
    }

    pub fn current_dir(mut self, folder: &Path) -> Bpflua {
        self.command.current_dir(folder);
        self
    }

    /// What it reads from standard input; nothing unless said so.
    pub fn input(mut self, text: &str) -> Bpflua {
        self.input = text.into();
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        // A group of its own, so that what it starts can be ended with it.
        self.command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let line = format!("{:?}", self.command);
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
        let mut stdin = child.stdin.take().unwrap();
        // A command that does not want its input may be gone already.
        let _ = stdin.write_all(&self.input);
        let stdout = Stream::of(child.stdout.take().unwrap());
        let stderr = Stream::of(child.stderr.take().unwrap());
        Running { child, line, stdout, stderr }
    }

    /// Runs it to its end.
    pub fn run(self) -> Ended {
        self.start().end()
    }
}

/// What a process wrote so far.
struct Stream {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn of(mut pipe: impl Read + Send + 'static) -> Stream {
        let text = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 1 << 16];
            while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                shared.lock().unwrap().extend_from_slice(&chunk[..count]);
            }
        });
        Stream { text, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

/// A process that may still run. Dropping it kills it and what it started.
pub struct Running {
    child: Child,
    line: String,
    stdout: Stream,
    stderr: Stream,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    pub fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits until `found` finds something in the standard output.
    pub fn until<T>(&mut self, what: &str, found: impl Fn(&str) -> Option<T>) -> T {
        self.work_until(what, || thread::sleep(LOOK_EVERY), found)
    }

    /// Does work again and again until `found` finds the trace of it in the standard output.
    pub fn work_until<T>(&mut self, what: &str, mut work: impl FnMut(), found: impl Fn(&str) -> Option<T>) -> T {
        self.wait(what, |running| {
            work();
            // Events are delivered in batches, a moment later.
            thread::sleep(LOOK_EVERY);
            found(&running.stdout())
        })
    }

    /// Waits until the standard error has this text.
    pub fn until_told(&mut self, text: &str) {
        self.wait(text, |running| running.stderr().contains(text).then_some(()));
    }

    /// Waits until it waits for events: Ctrl-C before that ends a script on the spot, in no loop.
    pub fn until_in_its_loop(&mut self) {
        // epoll_wait(2) is a system call of its own on x86-64 only.
        let plain = if cfg!(target_arch = "x86_64") { 232 } else { libc::SYS_epoll_pwait };
        let waits = [plain, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2].map(|call| call.to_string());
        let file = format!("/proc/{}/syscall", self.pid());
        self.wait("it waits for events", |_| {
            let call = std::fs::read_to_string(&file).unwrap_or_default();
            waits.iter().any(|wait| call.split(' ').next() == Some(wait)).then_some(())
        });
    }

    /// Does work again and again until `seen` is content with the two outputs, or the process ends, or the deadline is
    /// over. Gives whether it ended by itself.
    pub fn work_until_end(&mut self, mut work: impl FnMut(), mut seen: impl FnMut(&str, &str) -> bool) -> bool {
        let limit = Instant::now() + deadline();
        loop {
            if self.child.try_wait().unwrap().is_some() {
                self.stdout.whole();
                self.stderr.whole();
                seen(&self.stdout(), &self.stderr());
                return true;
            }
            work();
            thread::sleep(LOOK_EVERY);
            if seen(&self.stdout(), &self.stderr()) || Instant::now() > limit {
                return false;
            }
        }
    }

    fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&Running) -> Option<T>) -> T {
        let limit = Instant::now() + deadline();
        loop {
            let ended = self.child.try_wait().unwrap();
            if let Some(found) = look(self) {
                return found;
            }
            if let Some(status) = ended {
                // What it wrote last is read by now or will never be.
                self.stdout.whole();
                if let Some(found) = look(self) {
                    return found;
                }
                panic!("ended ({status}) without: {what}\n{}", self.told());
            }
            assert!(Instant::now() < limit, "not within {:?}: {what}\n{}", deadline(), self.told());
            thread::sleep(LOOK_EVERY);
        }
    }

    fn told(&self) -> String {
        format!("$ {}\n--- stdout\n{}\n--- stderr\n{}", self.line, tail(&self.stdout()), tail(&self.stderr()))
    }

    pub fn signal(&self, signal: libc::c_int) {
        // SAFETY: our own child, which was not waited for.
        assert_eq!(unsafe { libc::kill(self.pid() as libc::pid_t, signal) }, 0, "kill");
    }

    /// Ctrl-C, then the end.
    pub fn interrupt(self) -> Ended {
        self.signal(libc::SIGINT);
        self.end()
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        match self.wait_for_end() {
            Some(status) => self.ended(status),
            None => panic!("no end within {:?}\n{}", deadline(), self.told()),
        }
    }

    /// Waits for the end; nothing when it does not come within the deadline.
    pub fn end_in_time(mut self) -> Option<Ended> {
        self.wait_for_end().map(|status| self.ended(status))
    }

    fn wait_for_end(&mut self) -> Option<ExitStatus> {
        let limit = Instant::now() + deadline();
        while Instant::now() < limit {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            thread::sleep(LOOK_EVERY);
        }
        None
    }

    fn ended(mut self, status: ExitStatus) -> Ended {
        Ended {
            line: std::mem::take(&mut self.line),
            status: status.code(),
            signal: status.signal(),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // SAFETY: the group of our own child, which was not waited for.
            unsafe { libc::kill(-(self.pid() as libc::pid_t), libc::SIGKILL) };
        }
        let _ = self.child.wait();
    }
}

/// The last of a long text.
fn tail(text: &str) -> &str {
    let start = text.len().saturating_sub(6000);
    let start = (start..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    &text[start..]
}

/// A process that ended.
#[derive(Debug)]
pub struct Ended {
    pub line: String,
    /// The exit status; nothing when a signal ended it.
    pub status: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Fails unless it ended with this status.
    #[track_caller]
    pub fn expect(self, status: i32) -> Ended {
        assert_eq!(
            self.status,
            Some(status),
            "$ {} (signal {:?})\n--- stdout\n{}\n--- stderr\n{}",
            self.line,
            self.signal,
            tail(&self.stdout),
            tail(&self.stderr)
        );
        self
    }

    /// The mechanisms that `-v` told of, in order.
    pub fn mechanisms(&self) -> Vec<String> {
        let notice = regex::Regex::new(r"(?m)^bpflua: \S+ .* -> \S+: by (\w+)").unwrap();
        notice.captures_iter(&self.stderr).map(|found| found[1].to_owned()).collect()
    }

    /// Everything a person saw, for goldens.
    pub fn transcript(&self) -> String {
        let status = self.status.map_or_else(|| format!("signal {:?}", self.signal), |status| status.to_string());
        format!("{}{}status {status}\n", self.stdout, self.stderr)
    }
}
