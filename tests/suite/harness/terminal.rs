// SPDX-License-Identifier: Apache-2.0
//! The real executable in a terminal, seen as a person sees it: keys go in, a screen comes out.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::running::deadline;
use super::{root_folder, scratch};

/// How often the screen is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What can be scrolled back.
const SCROLLBACK: usize = 5000;

/// A process on a terminal of its own. Dropping it kills what is left.
pub struct Terminal {
    child: Child,
    master: File,
    seen: Arc<Mutex<Seen>>,
    reader: Option<JoinHandle<()>>,
}

struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
}

/// How a process on a terminal is started.
pub struct OnTerminal {
    command: Command,
    columns: u16,
    rows: u16,
}

/// bpflua on a terminal, with a home of the test's own, whose name it takes.
pub fn on_terminal<A: AsRef<std::ffi::OsStr>>(test: &str, args: impl IntoIterator<Item = A>) -> OnTerminal {
    OnTerminal::program(env!("CARGO_BIN_EXE_bpflua"), &scratch(test)).args(args)
}

impl OnTerminal {
    /// Any program, with its state and home in a folder.
    pub fn program(program: &str, home: &Path) -> OnTerminal {
        let mut command = Command::new(program);
        command.current_dir(root_folder()).env("TERM", "xterm").env("HOME", home).env("XDG_STATE_HOME", home);
        command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command.env_remove("VISUAL").env_remove("EDITOR").env_remove("NO_COLOR");
        OnTerminal { command, columns: 100, rows: 30 }
    }

    pub fn args<A: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> OnTerminal {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> OnTerminal {
        self.command.env(name, value);
        self
    }

    pub fn current_dir(mut self, folder: &Path) -> OnTerminal {
        self.command.current_dir(folder);
        self
    }

    pub fn size(mut self, columns: u16, rows: u16) -> OnTerminal {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    pub fn start(mut self) -> Terminal {
        let (master, slave) = open_pty(self.columns, self.rows);
        let copy = || Stdio::from(slave.try_clone().unwrap());
        self.command.stdin(copy()).stdout(copy()).stderr(copy());
        // SAFETY: two system calls, which are async-signal-safe: a session of its own, whose terminal is the new one.
        unsafe {
            self.command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = self.command.spawn().unwrap();
        drop(self.command);
        drop(slave);
        let parser = vt100::Parser::new(self.rows, self.columns, SCROLLBACK);
        let seen = Arc::new(Mutex::new(Seen { parser, raw: Vec::new() }));
        let (shared, mut output) = (Arc::clone(&seen), master.try_clone().unwrap());
        let reader = thread::spawn(move || {
            let mut chunk = [0; 1 << 16];
            while let Ok(count @ 1..) = output.read(&mut chunk) {
                let mut seen = shared.lock().unwrap();
                seen.parser.process(&chunk[..count]);
                seen.raw.extend_from_slice(&chunk[..count]);
            }
        });
        Terminal { child, master, seen, reader: Some(reader) }
    }
}

impl Terminal {
    pub fn pid(&self) -> libc::pid_t {
        self.child.id() as libc::pid_t
    }

    /// Presses keys.
    pub fn keys(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    /// Types lines, each ended by Enter.
    pub fn lines(&mut self, text: &str) {
        for line in text.lines() {
            self.keys(&format!("{line}\r"));
        }
    }

    /// What is on the screen, without the empty rest of its lines and of itself.
    pub fn screen(&self) -> String {
        self.seen.lock().unwrap().parser.screen().contents().trim_end().to_owned()
    }

    /// The screen's rows as they stand, where `screen` joins what belongs to one line.
    pub fn rows(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let screen = seen.parser.screen();
        screen.rows(0, screen.size().1).map(|row| row.trim_end().to_owned()).collect()
    }

    /// Everything that was written so far, as text with its control sequences.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().raw).into_owned()
    }

    /// Waits until the screen shows what `found` looks for.
    #[track_caller]
    pub fn until<T>(&mut self, what: &str, mut found: impl FnMut(&str) -> Option<T>) -> T {
        let limit = Instant::now() + deadline();
        loop {
            let screen = self.screen();
            if let Some(found) = found(&screen) {
                return found;
            }
            assert!(Instant::now() < limit, "not within {:?}: {what}\n{screen}", deadline());
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits until the screen has a text.
    #[track_caller]
    pub fn see(&mut self, text: &str) {
        self.until(text, |screen| screen.contains(text).then_some(()));
    }

    /// Waits until the last line of the screen is this, cursor behind it and all.
    #[track_caller]
    pub fn see_last(&mut self, line: &str) {
        let what = format!("the last line `{line}`");
        self.until(&what, |screen| (screen.lines().last().unwrap_or("").trim_end() == line.trim_end()).then_some(()));
    }

    /// Types a statement and waits for the next prompt, whose number is given.
    #[track_caller]
    pub fn statement(&mut self, text: &str, next: u32) {
        self.lines(text);
        self.see_last(&format!("bpflua {next}>"));
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.seen.lock().unwrap().parser.screen_mut().set_size(rows, columns);
        let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the size is valid for reading.
        assert_eq!(unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) }, 0);
    }

    pub fn signal(&self, signal: libc::c_int) {
        // SAFETY: our own child, which was not waited for.
        assert_eq!(unsafe { libc::kill(self.pid(), signal) }, 0, "kill");
    }

    /// Whether the terminal takes keys one by one.
    pub fn is_raw(&self) -> bool {
        // SAFETY: the mode is plain data, filled by the call.
        unsafe {
            let mut mode: libc::termios = std::mem::zeroed();
            assert_eq!(libc::tcgetattr(self.master.as_raw_fd(), &raw mut mode), 0);
            mode.c_lflag & libc::ICANON == 0
        }
    }

    /// Waits until keys are read.
    #[track_caller]
    pub fn until_raw(&mut self) {
        self.wait("keys are read", Terminal::is_raw);
    }

    /// Waits until the terminal takes whole lines again.
    #[track_caller]
    pub fn until_cooked(&mut self) {
        self.wait("whole lines are taken", |terminal| !terminal.is_raw());
    }

    #[track_caller]
    fn wait(&self, what: &str, is_so: impl Fn(&Terminal) -> bool) {
        let limit = Instant::now() + deadline();
        while !is_so(self) {
            assert!(Instant::now() < limit, "not within {:?}: {what}\n{}", deadline(), self.screen());
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits for the end: the exit status, or the signal as a negative number, and the last screen.
    #[track_caller]
    pub fn end(mut self) -> (i32, String) {
        let limit = Instant::now() + deadline();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < limit, "no end within {:?}\n{}", deadline(), self.screen());
            thread::sleep(LOOK_EVERY);
        };
        // Once nobody has the terminal open any more, reading it ends.
        self.reader.take().unwrap().join().unwrap();
        (status.code().unwrap_or_else(|| -status.signal().unwrap_or(0)), self.screen())
    }

    /// Leaves by Ctrl-D, which nothing stands in the way of.
    #[track_caller]
    pub fn leave(mut self) -> String {
        // While whole lines are taken, Ctrl-D is no key.
        self.until_raw();
        self.keys("\x04");
        let (status, screen) = self.end();
        assert_eq!(status, 0, "{screen}");
        screen
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // SAFETY: the group of our own child, which was not waited for.
            unsafe { libc::kill(-self.pid(), libc::SIGKILL) };
        }
        let _ = self.child.wait();
    }
}

fn open_pty(columns: u16, rows: u16) -> (File, File) {
    let (mut master, mut slave) = (-1, -1);
    let mut size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: two places for descriptors and a size; no name and no mode are wanted. Both ends are ours, and closed on exec.
    unsafe {
        let null = std::ptr::null_mut();
        assert_eq!(libc::openpty(&raw mut master, &raw mut slave, null, null.cast(), &raw mut size), 0);
        libc::fcntl(master, libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(slave, libc::F_SETFD, libc::FD_CLOEXEC);
        (File::from_raw_fd(master), File::from_raw_fd(slave))
    }
}
