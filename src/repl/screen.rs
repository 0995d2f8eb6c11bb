// SPDX-License-Identifier: Apache-2.0
//! The terminal's output while a prompt is there: whatever prints, prints into a pipe, and what comes out of the pipe is
//! put above the line that is being typed.
//!
//! The pipe is always read, however slow the terminal is or whatever the keys are read for, so that nobody who prints
//! waits for the screen. Only while a statement runs does its output go out at the terminal's pace, all of it.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::limit::Limit;
use super::stopped;
use super::terminal::Terminal;
use crate::lua::prompt::Screen as Who;

/// How long output is gathered before it is shown.
const GATHER: Duration = Duration::from_millis(10);
/// How long the rest of a line is waited for.
const LINE_WAIT: Duration = Duration::from_millis(100);
/// How long the editor's thread has to set its mode when the process goes on.
const SETTLE: Duration = Duration::from_millis(100);
/// Lines that wait for the terminal, at most.
const MOST_PENDING: usize = 2000;
/// A line is cut here.
const LONGEST_LINE: usize = 64 << 10;

/// Writes text above the line that is being typed.
pub type AboveLine = Box<dyn FnMut(String) + Send>;

/// The captured output; [`Screen::restore`] gives it back.
#[derive(Debug)]
pub struct Screen {
    shared: Arc<Shared>,
    saved: Vec<(RawFd, OwnedFd)>,
}

#[derive(Debug)]
struct Shared {
    terminal: Terminal,
    writer: File,
    pipe: File,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    who: Who,
    /// The beginning of a line.
    partial: Vec<u8>,
    partial_since: Option<Instant>,
    /// What waits for the terminal.
    pending: Vec<String>,
    limit: Limit,
    at_line_start: bool,
    has_ended: bool,
}

impl Screen {
    /// Takes the descriptors 1 and 2, as far as they are terminals, and shows on `terminal` what is written to them.
    pub fn capture(terminal: Terminal, above_line: AboveLine) -> io::Result<Screen> {
        let (pipe, end) = pipe()?;
        let state = State {
            who: Who::Statement,
            partial: Vec::new(),
            partial_since: None,
            pending: Vec::new(),
            limit: Limit::new(Instant::now()),
            at_line_start: true,
            has_ended: false,
        };
        let writer = terminal.writer()?;
        let shared = Arc::new(Shared { terminal, writer, pipe, state: Mutex::new(state), changed: Condvar::new() });
        let mut saved = Vec::new();
        for fd in [libc::STDOUT_FILENO, libc::STDERR_FILENO] {
            // SAFETY: plain calls on numbers.
            if unsafe { libc::isatty(fd) } == 1 {
                saved.push((fd, duplicate(fd)?));
                // SAFETY: both are open.
                check(unsafe { libc::dup2(end.as_raw_fd(), fd) })?;
            }
        }
        let reading = Arc::clone(&shared);
        thread::Builder::new().name("screen".into()).spawn(move || reading.read_for_ever())?;
        let showing = Arc::clone(&shared);
        thread::Builder::new().name("above-line".into()).spawn(move || showing.show_above(above_line))?;
        Ok(Screen { shared, saved })
    }

    /// Says who has the terminal from now on; what was written before is shown first.
    pub fn set(&self, who: Who) {
        let mut state = self.shared.lock();
        self.shared.pump(&mut state);
        let is_ours = |who| matches!(who, Who::Statement | Who::Events);
        if who == Who::Statement {
            self.shared.show_rest(&mut state);
        }
        if is_ours(state.who) && !is_ours(who) && !state.at_line_start {
            self.shared.write(&mut state, b"\n");
        }
        state.who = who;
        stopped::may_stop(who != Who::Keys);
        self.shared.changed.notify_all();
    }

    /// Shows lines behind everything that was written before, whatever the limit.
    pub fn say(&self, text: &str) {
        let mut state = self.shared.lock();
        self.shared.pump(&mut state);
        if state.who == Who::Statement {
            self.shared.write(&mut state, text.as_bytes());
        } else {
            state.pending.push(text.to_owned());
            self.shared.show_events(&mut state);
            self.shared.changed.notify_all();
        }
    }

    /// Gives the descriptors back; everything written is on the terminal then.
    pub fn restore(self) {
        self.set(Who::Statement);
        for (fd, saved) in &self.saved {
            // SAFETY: both are open.
            unsafe { libc::dup2(saved.as_raw_fd(), *fd) };
        }
        let mut state = self.shared.lock();
        self.shared.pump(&mut state);
        state.has_ended = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the pipe until nobody can write to it any more.
    fn read_for_ever(&self) {
        stopped::leave_signals();
        loop {
            let watch = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
            let mut watched = [watch(self.pipe.as_raw_fd()), watch(stopped::fd())];
            let timeout = self.lock().wait_ms(Instant::now());
            // SAFETY: an array of its length.
            unsafe { libc::poll(watched.as_mut_ptr(), watched.len() as libc::nfds_t, timeout) };
            self.go_on();
            let mut state = self.lock();
            let is_open = self.pump(&mut state);
            state.end_slow_line(Instant::now());
            let told = state.limit.tell(Instant::now(), false);
            state.pending.extend(told);
            self.show_events(&mut state);
            let has_ended = state.has_ended;
            drop(state);
            self.changed.notify_all();
            if has_ended || !is_open {
                return;
            }
            thread::sleep(GATHER);
        }
    }

    /// Sets the terminal to reading keys again when the process was stopped meanwhile and nobody else does.
    fn go_on(&self) {
        if !stopped::was() || self.lock().who != Who::Keys {
            return;
        }
        thread::sleep(SETTLE);
        let mut state = self.lock();
        if state.who == Who::Keys && self.terminal.take_keys_again() {
            // The line is drawn below whatever is shown.
            state.pending.push("\n".to_owned());
        }
    }

    /// Takes what is in the pipe; false when no writer is left.
    fn pump(&self, state: &mut State) -> bool {
        let mut chunk = [0; 1 << 16];
        loop {
            match (&self.pipe).read(&mut chunk) {
                Ok(0) => return false,
                Ok(count) if state.who == Who::Statement => self.write(state, &chunk[..count]),
                Ok(count) => {
                    state.gather(&chunk[..count], Instant::now());
                    self.show_events(state);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return true,
            }
        }
    }

    fn write(&self, state: &mut State, bytes: &[u8]) {
        if let Some(last) = bytes.last() {
            state.at_line_start = *last == b'\n';
            // A terminal that is gone ends the session elsewhere.
            let _ = (&self.writer).write_all(bytes);
        }
    }

    /// Shows what a loop in a statement let through.
    fn show_events(&self, state: &mut State) {
        if state.who == Who::Events && !state.pending.is_empty() {
            let text = std::mem::take(&mut state.pending).concat();
            if !state.at_line_start {
                self.write(state, b"\n");
            }
            self.write(state, text.as_bytes());
        }
    }

    /// Shows what waited, now that the terminal is free.
    fn show_rest(&self, state: &mut State) {
        let mut text = std::mem::take(&mut state.pending).concat();
        text.extend(state.limit.tell(Instant::now(), true));
        let partial = std::mem::take(&mut state.partial);
        state.partial_since = None;
        self.write(state, text.as_bytes());
        self.write(state, &partial);
    }

    /// Shows what waits while keys are read.
    fn show_above(&self, mut above_line: AboveLine) {
        stopped::leave_signals();
        loop {
            let mut state = self.lock();
            while !state.has_ended && (state.who != Who::Keys || state.pending.is_empty()) {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.has_ended {
                return;
            }
            let text = std::mem::take(&mut state.pending).concat();
            drop(state);
            // May wait for as long as the editor asks its user something: what comes meanwhile is gathered.
            above_line(text);
            thread::sleep(GATHER);
        }
    }
}

impl State {
    /// How long the pipe may be waited for before something else is due.
    fn wait_ms(&self, now: Instant) -> i32 {
        let partial = self.partial_since.map(|since| since + LINE_WAIT);
        match partial.into_iter().chain(self.limit.tell_at()).min() {
            Some(due) => due.saturating_duration_since(now).as_millis() as i32 + 1,
            None => -1,
        }
    }

    /// Takes output that cannot be shown at once, line by line.
    fn gather(&mut self, bytes: &[u8], now: Instant) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.partial.len() > LONGEST_LINE {
                self.end_line(now);
            }
        }
        self.partial_since = (!self.partial.is_empty()).then_some(now);
    }

    fn end_line(&mut self, now: Instant) {
        let line = std::mem::take(&mut self.partial);
        self.partial_since = None;
        if self.pending.len() >= MOST_PENDING {
            self.limit.hold(now);
        } else if self.limit.admit(now) {
            self.pending.push(String::from_utf8_lossy(&line).into_owned());
        }
    }

    /// A line whose end does not come is shown all the same.
    fn end_slow_line(&mut self, now: Instant) {
        if self.partial_since.is_some_and(|since| since + LINE_WAIT <= now) {
            self.partial.push(b'\n');
            self.end_line(now);
        }
    }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn duplicate(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: a plain call; the descriptor that comes of it is nobody else's.
    unsafe { check(libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3)).map(|fd| OwnedFd::from_raw_fd(fd)) }
}

/// The end that is read, which does not block, and the end that is written to.
fn pipe() -> io::Result<(File, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: two valid integers; the descriptors that come of it are nobody else's.
    unsafe {
        check(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC))?;
        let (read, write) = (File::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]));
        check(libc::fcntl(ends[0], libc::F_SETFL, libc::O_NONBLOCK))?;
        // Room for what comes between two looks; the kernel may grant less.
        libc::fcntl(ends[1], libc::F_SETPIPE_SZ, 1 << 20);
        Ok((read, write))
    }
}
