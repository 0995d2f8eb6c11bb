// SPDX-License-Identifier: Apache-2.0
//! The thread that reads lines. It knows no session: what it reads goes to the thread that Lua runs on, which says when to
//! read the next.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustyline::config::{Behavior, BellStyle, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{
    Cmd, ColorMode, ConditionalEventHandler, Editor, Event, EventContext, EventHandler, ExternalPrinter as _, KeyEvent,
    RepeatCount,
};

use super::helper::{LineHelper, is_command};
use super::history;
use super::link::{Activity, Message, Reader};
use super::screen::AboveLine;
use super::stopped;
use crate::colour;
use crate::lua::Syntax;
use crate::lua::prompt::{Ask, Input};

/// Lua code that runs for so long when Ctrl-C is pressed is interrupted.
const LONG: Duration = Duration::from_millis(300);

/// What the terminal's editor starts with: how to write above its line, or why it cannot.
pub type Started = Result<AboveLine, String>;

/// Reads from a terminal, with everything that rustyline does.
pub fn edit(reader: &Reader, orders: &Receiver<Ask>, started: &Sender<Started>) {
    stopped::leave_ends();
    stopped::may_stop(true);
    let (mut keys, above_line) = match open(reader) {
        Ok(opened) => opened,
        Err(error) => {
            let _ = started.send(Err(error.to_string()));
            return;
        }
    };
    let history = history::path().filter(|path| history::prepare(path).is_ok());
    if let Some(path) = &history {
        // What cannot be read is no reason not to start.
        let _ = keys.editor.load_history(path);
    }
    if started.send(Ok(above_line)).is_err() {
        return;
    }
    while let Ok(ask) = orders.recv() {
        if !reader.send(Message::Input(read(&mut keys, &ask, reader, history.as_ref()))) {
            return;
        }
    }
}

type LineEditor = Editor<LineHelper, FileHistory>;

/// The editor, and whether its last line was ended by Ctrl-C.
struct Keys {
    editor: LineEditor,
    interrupted: Arc<AtomicBool>,
}

impl Keys {
    /// One line; none when Ctrl-C ended it.
    fn read(&mut self, ask: &Ask, initial: &str) -> Result<Option<String>, ReadlineError> {
        self.interrupted.store(false, Ordering::SeqCst);
        let line = self.editor.readline_with_initial(&ask.prompt, (initial, ""));
        match line {
            Ok(_) if self.interrupted.load(Ordering::SeqCst) => Ok(None),
            Err(ReadlineError::Interrupted) => Ok(None),
            line => line.map(Some),
        }
    }
}

fn open(reader: &Reader) -> rustyline::Result<(Keys, AboveLine)> {
    let config = Config::builder()
        .behavior(Behavior::PreferTerm)
        .completion_type(CompletionType::List)
        .bell_style(BellStyle::None)
        .color_mode(if colour::is_wanted() { ColorMode::Enabled } else { ColorMode::Disabled })
        .max_history_size(history::MOST)?
        .history_ignore_dups(true)?
        .build();
    let mut editor = LineEditor::with_config(config)?;
    editor.set_helper(Some(LineHelper::new(reader.clone())));
    let interrupted = Arc::new(AtomicBool::new(false));
    for (key, is_interrupt) in [(KeyEvent::ctrl('C'), true), (KeyEvent::ctrl('M'), false), (KeyEvent::ctrl('J'), false)]
    {
        let noted = Noted { interrupted: Arc::clone(&interrupted), is_interrupt };
        editor.bind_sequence(key, EventHandler::Conditional(Box::new(noted)));
    }
    let mut printer = editor.create_external_printer()?;
    let above_line = move |text| {
        // A terminal that is gone ends the session elsewhere.
        let _ = printer.print(text);
    };
    Ok((Keys { editor, interrupted }, Box::new(above_line)))
}

/// Ctrl-C as a key that accepts the line, with a note that it is not wanted: an interrupt in rustyline's way would throw
/// away what was typed behind it.
struct Noted {
    interrupted: Arc<AtomicBool>,
    is_interrupt: bool,
}

impl ConditionalEventHandler for Noted {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext<'_>) -> Option<Cmd> {
        self.interrupted.store(self.is_interrupt, Ordering::SeqCst);
        self.is_interrupt.then_some(Cmd::AcceptLine)
    }
}

/// Reads one statement or answer. Ctrl-C clears the line and begins anew.
fn read(keys: &mut Keys, ask: &Ask, reader: &Reader, history: Option<&PathBuf>) -> Input {
    if let Some(helper) = keys.editor.helper_mut() {
        helper.is_statement = ask.is_statement;
    }
    let mut initial = ask.initial.as_str();
    loop {
        match keys.read(ask, initial) {
            Ok(Some(line)) => {
                let editor = &mut keys.editor;
                if ask.is_statement && !line.trim().is_empty() && editor.add_history_entry(&line).is_ok() {
                    // A history that cannot be written is no reason to stop.
                    let _ = history.map(|path| editor.append_history(path));
                }
                return Input::Line(line);
            }
            Ok(None) if ask.is_statement => {
                initial = "";
                interrupt_what_runs_long(reader.activity());
            }
            Ok(None) => return Input::Line(String::new()),
            Err(_) => return Input::End,
        }
    }
}

/// Sends the signal of Ctrl-C when the same piece of Lua code runs all the while. The kernel gives it to the first thread,
/// Lua's.
fn interrupt_what_runs_long(activity: &Activity) {
    let Some(turn) = activity.busy_turn() else { return };
    let limit = Instant::now() + LONG;
    while activity.busy_turn() == Some(turn) {
        if Instant::now() > limit {
            // SAFETY: a signal to this process, which has a handler for it.
            unsafe { libc::kill(libc::getpid(), libc::SIGINT) };
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Reads from what is no terminal, or one that can do nothing: statement by statement, not further.
pub fn read_plainly(reader: &Reader, orders: &Receiver<Ask>, shows_prompts: bool) {
    stopped::leave_signals();
    let syntax = Syntax::default();
    while let Ok(ask) = orders.recv() {
        let mut text = String::new();
        let input = loop {
            if shows_prompts {
                let prompt = if text.is_empty() { ask.prompt.as_str() } else { "… " };
                let _ = io::stderr().write_all(prompt.as_bytes());
            }
            match read_line(&mut text) {
                Ok(0) | Err(_) if text.is_empty() => break Input::End,
                Ok(0) | Err(_) => break Input::Line(text),
                Ok(_) if ask.is_statement && !is_command(&text) && syntax.is_incomplete(text.trim_end()) => {}
                Ok(_) => break Input::Line(text),
            }
        };
        if !reader.send(Message::Input(input)) {
            return;
        }
    }
}

/// Adds a line of standard input, byte by byte, so that a statement can read what follows.
fn read_line(text: &mut String) -> io::Result<usize> {
    let mut line = Vec::new();
    loop {
        let mut byte = [0];
        // SAFETY: one byte of our own.
        match unsafe { libc::read(libc::STDIN_FILENO, byte.as_mut_ptr().cast(), 1) } {
            1 => line.push(byte[0]),
            0 => break,
            _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => continue,
            _ => return Err(io::Error::last_os_error()),
        }
        if byte[0] == b'\n' {
            break;
        }
    }
    text.push_str(&String::from_utf8_lossy(&line));
    Ok(line.len())
}
