// SPDX-License-Identifier: Apache-2.0
//! What rustyline asks while a line is typed: whether it is whole, and how a word may go on.

use std::borrow::Cow;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use rustyline::completion::{Candidate as Shown, Completer};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::link::{Completion, Message, Reader};
use crate::colour;
use crate::lua::Syntax;
use crate::lua::prompt::Candidate;

/// How long completions are waited for. They take a few milliseconds, C texts some tens of them; but Lua may be busy, or the
/// machine, and what comes late is better than nothing.
const COMPLETION_WAIT: Duration = Duration::from_millis(500);
/// When to ask again what was not known yet.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// See the module.
pub struct LineHelper {
    reader: Reader,
    syntax: Syntax,
    /// Whether a statement is read; an answer is one line.
    pub is_statement: bool,
}

impl LineHelper {
    /// A helper that asks Lua through `reader`.
    pub fn new(reader: Reader) -> LineHelper {
        LineHelper { reader, syntax: Syntax::default(), is_statement: true }
    }
}

impl LineHelper {
    /// The words that Lua has for a place, if it has them in time.
    fn ask(&self, line: &str, pos: usize) -> Completion {
        let limit = Instant::now() + COMPLETION_WAIT;
        loop {
            let (sender, receiver) = channel();
            if !self.reader.send(Message::Complete(line.to_owned(), pos, sender)) {
                return None;
            }
            let found = receiver.recv_timeout(limit.saturating_duration_since(Instant::now())).ok()?;
            if found.is_some() || Instant::now() + ASK_AGAIN > limit {
                return found;
            }
            thread::sleep(ASK_AGAIN);
        }
    }
}

/// Whether a line of a prompt is no Lua: a command, a shell's, or a question.
pub fn is_command(text: &str) -> bool {
    text.trim_start().starts_with([':', '!']) || text.trim_end().ends_with('?')
}

/// A candidate as it is listed: its text, and what it is.
pub struct Listed {
    text: String,
    line: String,
}

impl Shown for Listed {
    fn display(&self) -> &str {
        &self.line
    }

    fn replacement(&self) -> &str {
        &self.text
    }
}

/// The lines of a list, notes in a column of their own.
fn listed(candidates: Vec<Candidate>) -> Vec<Listed> {
    let width = candidates.iter().map(|one| one.text.chars().count()).max().unwrap_or(0);
    let line = |one: &Candidate| match one.note.as_str() {
        "" => one.text.clone(),
        note => format!("{:width$}  {note}", one.text),
    };
    candidates.into_iter().map(|one| Listed { line: line(&one), text: one.text }).collect()
}

impl Completer for LineHelper {
    type Candidate = Listed;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Listed>)> {
        let found = if self.is_statement { self.ask(line, pos) } else { None };
        let (start, candidates) = found.unwrap_or((pos, Vec::new()));
        let start = start.min(pos);
        let start = if line.is_char_boundary(start) { start } else { pos };
        Ok((start, listed(candidates)))
    }
}

impl Validator for LineHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let is_open = self.is_statement && !is_command(text) && self.syntax.is_incomplete(text);
        Ok(if is_open { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Hinter for LineHelper {
    type Hint = String;
}

impl Highlighter for LineHelper {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Owned(colour::prompt(prompt))
    }

    fn highlight_candidate<'c>(&self, candidate: &'c str, _: rustyline::CompletionType) -> Cow<'c, str> {
        match candidate.split_once("  ") {
            Some((text, note)) => Cow::Owned(format!("{text}  \x1b[2m{note}\x1b[0m")),
            None => Cow::Borrowed(candidate),
        }
    }
}

impl Helper for LineHelper {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_stand_in_a_column() {
        let one = |text: &str, note: &str| Candidate { text: text.into(), note: note.into() };
        let lines = listed(vec![one("items", "pairs"), one("lookup_batch", "many"), one("len", "")]);
        let lines: Vec<&str> = lines.iter().map(Shown::display).collect();
        assert_eq!(lines, ["items         pairs", "lookup_batch  many", "len"]);
    }

    #[test]
    fn commands_are_told_from_lua() {
        assert!(is_command(":help") && is_command(" !ls [[") && is_command("b.counts?"));
        assert!(!is_command("x = [[ :a") && !is_command(""));
    }
}
