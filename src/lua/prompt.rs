// SPDX-License-Identifier: Apache-2.0
//! What a prompt is to Lua: a source of typed lines, and the terminal that it shares with everything that prints. The room
//! `repl` has the thing itself.

use std::fmt::Debug;
use std::os::fd::RawFd;

use crate::error::Result;

/// What came from the person.
#[derive(Debug)]
pub enum Input {
    /// A whole statement, command or answer.
    Line(String),
    /// The end: Ctrl-D on an empty line, or no more input.
    End,
    /// Completions are wanted; [`Prompt::answer`] gives them. Whoever asks waits for a moment only.
    Complete {
        /// What was typed, all lines of it.
        line: String,
        /// Where in it the cursor is, in bytes.
        cursor: usize,
    },
}

/// A completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What takes the place of the word.
    pub text: String,
    /// What it is, in few words; may be empty.
    pub note: String,
}

/// Who has the terminal, and so what becomes of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// A statement runs: its output goes out as it comes.
    Statement,
    /// A loop runs in a statement, or a program that was started from it: output goes out, a flood of it is limited.
    Events,
    /// Keys are read: output appears above the line, a flood of it is limited.
    Keys,
    /// Another program, or a view that fills the screen, has the terminal: output waits, limited, until it is done.
    Taken,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What stands in front of the line.
    pub prompt: String,
    /// What the line holds already.
    pub initial: String,
    /// A statement or command: it may have several lines, is completed, and is remembered. Otherwise an answer.
    pub is_statement: bool,
}

/// The terminal side of a prompt. All of it is called by the thread that Lua runs on.
pub trait Prompt: Debug {
    /// Takes the terminal. The descriptor is readable while there is input to [`Prompt::take`]; the flag says whether a
    /// person is there, rather than a file or a pipe.
    fn open(&self) -> Result<(RawFd, bool)>;
    /// Gives everything back.
    fn close(&self);
    /// Starts reading a line.
    fn ask(&self, ask: Ask);
    /// What came, if anything did.
    fn take(&self) -> Option<Input>;
    /// Answers the last [`Input::Complete`]: the words for what stands between `start` and the cursor.
    fn answer(&self, start: usize, candidates: Vec<Candidate>);
    /// Lets the last [`Input::Complete`] be asked again a moment later: what it needs is still being read.
    fn postpone(&self);
    /// Says who has the terminal from now on.
    fn set_screen(&self, screen: Screen);
    /// Writes lines of bpflua's own, which no limit holds back, behind everything printed so far.
    fn say(&self, text: &str);
    /// Columns and rows of the terminal.
    fn size(&self) -> (u16, u16);
    /// Notes that Lua code begins or ends to run for what the loop found: Ctrl-C interrupts what runs for long.
    fn set_busy(&self, is_busy: bool);
}
