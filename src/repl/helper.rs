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
use super::terminal;
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
#[derive(Clone)]
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

/// The lines of a list, notes in a column of their own, no more than fit on a screen: what has to be leafed through takes
/// the keys away from the line.
fn listed(candidates: Vec<Candidate>, (columns, rows): (u16, u16)) -> Vec<Listed> {
    let (columns, rows) = (usize::from(columns), usize::from(rows));
    let width = candidates.iter().map(|one| one.text.chars().count()).max().unwrap_or(0);
    let line = |one: &Candidate| match one.note.as_str() {
        "" => one.text.clone(),
        note => format!("{:width$}  {note}", one.text),
    };
    let mut all: Vec<Listed> = candidates
        .into_iter()
        .map(|one| Listed { line: cut(&line(&one), columns.saturating_sub(1)), text: one.text })
        .collect();
    let widest = all.iter().map(|one| one.line.chars().count()).max().unwrap_or(0);
    let in_a_row = (columns / (widest + COLUMN_GAP)).max(1);
    let room = rows.saturating_sub(LINES_BESIDE).max(1) * in_a_row;
    if all.len() > room {
        let rest = all.split_off(room);
        leave_beginning_open(&mut all, &rest);
        if let Some(last) = all.last_mut() {
            // How many there are is not known: whoever completes stops at a number of its own.
            let more = " … more";
            last.line = cut(&last.line, columns.saturating_sub(1 + more.chars().count())) + more;
        }
    }
    all
}

/// What rustyline leaves between the columns of a list.
const COLUMN_GAP: usize = 2;
/// Lines of the screen that a list leaves free: the typed line, which may be two long.
const LINES_BESIDE: usize = 3;

/// The beginning that all candidates have in common is filled in: those that are not shown must keep theirs from being longer.
fn leave_beginning_open(shown: &mut [Listed], rest: &[Listed]) {
    let Some((first, others)) = shown.split_first() else { return };
    let common = |one: &Listed| one.text.bytes().zip(first.text.bytes()).take_while(|(a, b)| a == b).count();
    let of_shown = others.iter().map(common).min().unwrap_or(first.text.len());
    let least = rest.iter().min_by_key(|one| common(one)).filter(|one| common(one) < of_shown);
    if let (Some(least), Some(last)) = (least.cloned(), shown.last_mut()) {
        *last = least;
    }
}

fn cut(line: &str, width: usize) -> String {
    match line.char_indices().nth(width) {
        Some(_) => line.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
        None => line.to_owned(),
    }
}

impl Completer for LineHelper {
    type Candidate = Listed;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Listed>)> {
        let found = if self.is_statement { self.ask(line, pos) } else { None };
        let (start, candidates) = found.unwrap_or((pos, Vec::new()));
        let start = start.min(pos);
        let start = if line.is_char_boundary(start) { start } else { pos };
        Ok((start, listed(candidates, terminal::input_size())))
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
        let lines = listed(vec![one("items", "pairs"), one("lookup_batch", "many"), one("len", "")], (80, 24));
        let lines: Vec<&str> = lines.iter().map(Shown::display).collect();
        assert_eq!(lines, ["items         pairs", "lookup_batch  many", "len"]);
    }

    #[test]
    fn a_list_fits_on_the_screen_and_fills_in_no_more_than_all_have_in_common() {
        let names = ["tcp_a", "tcp_b", "tcp_c", "tcp_d", "tcpm", "tcp_e"];
        let candidates = || names.map(|text| Candidate { text: text.into(), note: "a note that is long".into() });
        let shown = listed(candidates().to_vec(), (20, 6));
        let lines: Vec<&str> = shown.iter().map(Shown::display).collect();
        assert_eq!(lines, ["tcp_a  a note that…", "tcp_b  a note that…", "tcpm   a no… … more"]);
        assert_eq!(shown.iter().map(Shown::replacement).collect::<Vec<_>>(), ["tcp_a", "tcp_b", "tcpm"]);
        assert_eq!(listed(candidates().to_vec(), (80, 9)).len(), 6);
        assert_eq!(listed(candidates().to_vec(), (80, 1)).len(), 2, "two in a row");
        assert!(listed(Vec::new(), (80, 24)).is_empty());
    }

    #[test]
    fn commands_are_told_from_lua() {
        assert!(is_command(":help") && is_command(" !ls [[") && is_command("b.counts?"));
        assert!(!is_command("x = [[ :a") && !is_command(""));
    }
}
