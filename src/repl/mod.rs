// SPDX-License-Identifier: Apache-2.0
//! The prompt: a line editor on a thread of its own, and a screen that output shares with the line.
//!
//! Lua, its handlers and timers stay on the thread they are on; [`Repl`] is what they see of a person, the trait of
//! [`crate::lua::prompt`]. Two threads more show what is printed while keys are read ([`screen`]). Where there is no terminal, or one
//! that can do nothing, lines are read as they come.

mod editor;
mod helper;
mod history;
mod limit;
mod link;
mod screen;
mod stopped;
mod terminal;

use std::cell::RefCell;
use std::io::{self, Write as _};
use std::os::fd::RawFd;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::colour;
use crate::error::{Error, Result};
use crate::lua::prompt::{Ask, Candidate, Input, Prompt, Screen as Who};
use link::{Completion, Link, Message};
use screen::Screen;
use terminal::Terminal;

pub use terminal::is_input_terminal;

/// The prompt of this process; nothing is taken before it is opened.
#[derive(Debug, Default)]
pub struct Repl {
    open: RefCell<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    link: Link,
    screen: Option<Screen>,
    terminal: Option<Terminal>,
    /// Where the answer to the last wish for completions goes.
    wish: Option<Sender<Completion>>,
    /// Whether a line is being read.
    is_reading: bool,
}

fn cannot(error: &io::Error) -> Error {
    Error::io("cannot start the prompt", error)
}

fn open_terminal() -> Result<Open> {
    let (link, reader, orders) = link::link().map_err(|error| cannot(&error))?;
    let terminal = Terminal::open().map_err(|error| cannot(&error))?;
    let (started, starts) = channel();
    let editor = thread::Builder::new().name("editor".into());
    editor.spawn(move || editor::edit(&reader, &orders, &started)).map_err(|error| cannot(&error))?;
    let above_line = match starts.recv() {
        Ok(Ok(above_line)) => above_line,
        Ok(Err(why)) => return Err(Error::machine("cannot start the prompt", why)),
        Err(_) => return Err(Error::bug("cannot start the prompt", "the editor ended")),
    };
    stopped::watch();
    let screen = terminal.try_clone().and_then(|terminal| Screen::capture(terminal, above_line));
    let screen = screen.map_err(|error| cannot(&error))?;
    Ok(Open { link, screen: Some(screen), terminal: Some(terminal), wish: None, is_reading: false })
}

fn open_plain() -> Result<Open> {
    let (link, reader, orders) = link::link().map_err(|error| cannot(&error))?;
    let shows_prompts = is_input_terminal();
    let plain = thread::Builder::new().name("reader".into());
    plain.spawn(move || editor::read_plainly(&reader, &orders, shows_prompts)).map_err(|error| cannot(&error))?;
    Ok(Open { link, screen: None, terminal: None, wish: None, is_reading: false })
}

impl Repl {
    fn grant(&self, completion: Completion) {
        if let Some(wish) = self.open.borrow_mut().as_mut().and_then(|open| open.wish.take()) {
            // Who asked may have stopped waiting.
            let _ = wish.send(completion);
        }
    }
}

impl Prompt for Repl {
    fn open(&self) -> Result<(RawFd, bool)> {
        let open = if terminal::is_able() { open_terminal() } else { open_plain() }?;
        let opened = (open.link.fd(), is_input_terminal());
        *self.open.borrow_mut() = Some(open);
        Ok(opened)
    }

    fn close(&self) {
        let Some(open) = self.open.borrow_mut().take() else { return };
        if let Some(screen) = open.screen {
            screen.restore();
        }
        if let Some(terminal) = open.terminal {
            terminal.reset();
            if open.is_reading {
                let _ = terminal.writer().and_then(|mut writer| writer.write_all(b"\x1b[?2004l\n"));
            }
        }
    }

    fn ask(&self, ask: Ask) {
        if let Some(open) = self.open.borrow_mut().as_mut() {
            open.is_reading = open.link.orders.send(ask).is_ok();
        }
    }

    fn take(&self) -> Option<Input> {
        let mut open = self.open.borrow_mut();
        let open = open.as_mut()?;
        Some(match open.link.take()? {
            Message::Input(input) => {
                open.is_reading = false;
                input
            }
            Message::Complete(line, cursor, wish) => {
                open.wish = Some(wish);
                Input::Complete { line, cursor }
            }
        })
    }

    fn answer(&self, start: usize, candidates: Vec<Candidate>) {
        self.grant(Some((start, candidates)));
    }

    fn postpone(&self) {
        self.grant(None);
    }

    fn set_screen(&self, who: Who) {
        if let Some(screen) = self.open.borrow().as_ref().and_then(|open| open.screen.as_ref()) {
            screen.set(who);
        }
    }

    fn say(&self, text: &str) {
        match self.open.borrow().as_ref().and_then(|open| open.screen.as_ref()) {
            Some(screen) if colour::is_wanted() => screen.say(&colour::report(text)),
            Some(screen) => screen.say(text),
            // Nobody is left to tell when that fails.
            None => drop(io::stderr().lock().write_all(text.as_bytes())),
        }
    }

    fn size(&self) -> (u16, u16) {
        let open = self.open.borrow();
        let terminal = open.as_ref().and_then(|open| open.terminal.as_ref());
        terminal.map_or_else(|| Terminal::open().map_or((80, 24), |terminal| terminal.size()), Terminal::size)
    }

    fn set_busy(&self, is_busy: bool) {
        if let Some(open) = self.open.borrow().as_ref() {
            open.link.activity.set_busy(is_busy);
        }
    }
}
