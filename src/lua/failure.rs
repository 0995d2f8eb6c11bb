// SPDX-License-Identifier: Apache-2.0
//! From what Lua raised to an [`Error`] with the script's line, its text, and how the script got there.

use mlua::{Lua, Table, Value};

use super::errors::{self, ErrorValue};
use super::host::{Host, excerpt};
use super::script::Script;
use crate::error::{Error, Location};

/// How many callers are shown below the place of an error.
const MAX_CALLERS: usize = 4;

/// One frame of the script's own, innermost first.
#[derive(Debug)]
struct Frame {
    file: String,
    line: u32,
    function: Option<String>,
}

/// The error of a script that is not Lua.
pub fn from_syntax(script: &Script, error: &mlua::Error) -> Error {
    let text = match error {
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        other => other.to_string(),
    };
    let (place, message) = split_position(&text);
    let mut location = Location::new(&script.name, place.map_or(0, |(_, line)| line), 0);
    location.excerpt.extend(script.line(location.line).map(|text| excerpt(location.line, &text)));
    Error::script(format!("`{}` is not valid Lua", script.name), message).with_location(location)
}

/// The error of a script that failed while it ran: the raised value and the stack that `boot.lua` noted.
pub fn from_run(lua: &Lua, raised: &Value, stack: Option<&Value>) -> Error {
    let frames = stack.and_then(Value::as_table).map(read_frames).unwrap_or_default();
    let mut error = match raised_error(raised) {
        Some(error) => error,
        None => from_text(lua, &describe(raised), &frames),
    };
    if error.locations().is_empty()
        && let Some(frame) = frames.first()
    {
        error = error.with_location(Host::place(lua, frame.file.clone(), frame.line));
    }
    let told = error.locations().first().map(|location| location.line);
    error = find_line(lua, error);
    let shown = error.locations().first().map(|location| location.file.clone());
    let callers = frames.iter().filter(|frame| (shown.as_ref(), told) != (Some(&frame.file), Some(frame.line)));
    for frame in callers.take(MAX_CALLERS) {
        error = error.with_evidence(caller(frame));
    }
    error
}

/// Where the name of an error is looked for above its line.
const LINES_ABOVE: u32 = 20;

/// Moves the place of an undeclared variable to the line that has its name: LuaJIT tells the line of the closing bracket for
/// what is last in a call.
fn find_line(lua: &Lua, mut error: Error) -> Error {
    let words = error.to_string();
    let has_name = |place: &Location| shown_line(place).is_some_and(|text| column_in(text, &words).is_some());
    if let Some(location) = error.locations_mut().first_mut()
        && words.starts_with(UNDECLARED)
        && !has_name(location)
    {
        let above = location.line.saturating_sub(LINES_ABOVE).max(1)..location.line;
        let mut places = above.rev().map(|line| Host::place(lua, location.file.clone(), line));
        if let Some(place) = places.find(has_name) {
            *location = place;
        }
    }
    error
}

/// How the error of a variable begins that nobody declared.
const UNDECLARED: &str = "cannot read the undeclared variable `";

/// The line of a place, where only that is shown.
fn shown_line(location: &Location) -> Option<&str> {
    match location.excerpt.as_slice() {
        [shown] => shown.split_once(" > ").map(|(_, text)| text),
        _ => None,
    }
}

/// The column of the name that an error speaks of.
fn column_in(text: &str, words: &str) -> Option<u32> {
    match words.strip_prefix(UNDECLARED).and_then(|rest| rest.split_once('`')) {
        Some((name, _)) => places_of(text, name).find(|at| is_read(text, *at, name)).map(|at| at as u32 + 1),
        None => quoted(words).find_map(|name| column_of(text, name)),
    }
}

/// Whether a name is no field, and not what is assigned to. The first that is read fails.
fn is_read(text: &str, at: usize, name: &str) -> bool {
    let (before, behind) = (text[..at].trim_end(), text[at + name.len()..].trim_start());
    let is_field = before.ends_with(['.', ':']) && !before.ends_with("..");
    !is_field && (!behind.starts_with('=') || behind.starts_with("=="))
}

/// Puts a caret under the name that an error speaks of, where the line of the first place has it.
pub fn point_at_name(mut error: Error) -> Error {
    let words = error.to_string();
    let Some(location) = error.locations_mut().first_mut().filter(|location| location.column == 0) else {
        return error;
    };
    if let Some(text) = shown_line(location)
        && let Some(column) = column_in(text, &words)
    {
        let caret = caret(location.line, text, column);
        location.excerpt.push(caret);
        location.column = column;
    }
    error
}

/// The line with a caret under a column, from 1.
fn caret(line: u32, text: &str, column: u32) -> String {
    let before = text.get(..column as usize - 1).unwrap_or_default();
    let indent: String = before.chars().map(|char| if char == '\t' { '\t' } else { ' ' }).collect();
    format!("{:width$} | {indent}^", "", width = line.to_string().len().max(3))
}

/// What stands in quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split(['`', '\'']).skip(1).step_by(2).filter(|name| !name.is_empty())
}

/// Where a name stands in a line, not as a part of another.
fn places_of<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_part = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
    text.match_indices(name).map(|(at, _)| at).filter(move |at| {
        let (before, behind) = (text[..*at].chars().next_back(), text[at + name.len()..].chars().next());
        !(is_part(name.chars().next()) && is_part(before) || is_part(name.chars().next_back()) && is_part(behind))
    })
}

/// The column, from 1, of a name in a line that has it once.
fn column_of(text: &str, name: &str) -> Option<u32> {
    let mut places = places_of(text, name);
    let first = places.next()?;
    places.next().is_none().then_some(first as u32 + 1)
}

/// The error that was raised as a value: ours, or one that went through mlua.
fn raised_error(raised: &Value) -> Option<Error> {
    match raised {
        Value::UserData(data) => data.take::<ErrorValue>().ok().map(ErrorValue::into_error),
        Value::Error(error) => Some(errors::from_mlua("the script failed", error)),
        _ => None,
    }
}

fn describe(raised: &Value) -> String {
    match raised {
        Value::String(text) => text.to_string_lossy(),
        Value::Nil => "error without a message (nil)".to_owned(),
        // Its address would tell nothing.
        Value::Table(table) if table.metatable().is_none() => "error value of type table".to_owned(),
        other => other.to_string().unwrap_or_else(|_| format!("error value of type {}", other.type_name())),
    }
}

/// A plain Lua error: `file:line: message`. One raised in an embedded file tells so, as the script's line is shown.
fn from_text(lua: &Lua, text: &str, frames: &[Frame]) -> Error {
    let (place, message) = split_position(text);
    let Some((file, line)) = place else {
        return Error::script(message, "");
    };
    let error = Error::script(message, "");
    if crate::packs::embedded::is_embedded(file) {
        return error.with_evidence(format!("raised in {file}:{line}"));
    }
    match frames.iter().any(|frame| frame.file == file) || frames.is_empty() {
        true => error.with_location(Host::place(lua, file.to_owned(), line)),
        false => error.with_evidence(format!("raised in {file}:{line}")),
    }
}

/// Splits `file:line: message`; the message keeps everything when there is no such beginning.
fn split_position(text: &str) -> (Option<(&str, u32)>, &str) {
    for (colon, _) in text.match_indices(": ") {
        if text[..colon].contains('\n') {
            break;
        }
        if let Some((file, line)) = text[..colon].rsplit_once(':')
            && let Ok(line) = line.parse()
            && !file.contains(": ")
        {
            return (Some((file, line)), &text[colon + 2..]);
        }
    }
    (None, text)
}

fn read_frames(stack: &Table) -> Vec<Frame> {
    let frames = stack.sequence_values::<Table>().flatten();
    frames
        .filter_map(|frame| {
            Some(Frame {
                file: frame.get("file").ok()?,
                line: frame.get("line").ok()?,
                function: frame.get("name").ok().flatten(),
            })
        })
        .collect()
}

fn caller(frame: &Frame) -> String {
    match &frame.function {
        Some(name) => format!("called from {}:{} in `{name}`", frame.file, frame.line),
        None => format!("called from {}:{}", frame.file, frame.line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_where_it_stands_once() {
        assert_eq!(column_of("  prnt(1)", "prnt"), Some(3));
        assert_eq!(column_of("print(prnt, x)", "print"), Some(1));
        assert_eq!(column_of("f(f)", "f"), None);
        assert_eq!(column_of("a.b[1] = ]", "]"), None);
        let read = |text| column_in(text, "cannot read the undeclared variable `x`");
        assert_eq!([read("x = a.x + x"), read("x == x"), read("x"), read("y:x()")], [Some(11), Some(1), Some(1), None]);
        assert_eq!(column_in("f(f)", "`f` is nil"), None);
        assert_eq!(quoted("cannot read `a`: 'b' is").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(caret(12, "\tx = y", 6), "    | \t    ^");
    }

    #[test]
    fn a_position_is_split_off_a_message() {
        assert_eq!(split_position("a b.lua:12: attempt: x"), (Some(("a b.lua", 12)), "attempt: x"));
        assert_eq!(split_position("-e:1: oops"), (Some(("-e", 1)), "oops"));
        assert_eq!(split_position("said: b.lua:2: x"), (None, "said: b.lua:2: x"));
        assert_eq!(split_position("no position: here"), (None, "no position: here"));
        assert_eq!(split_position("first\nb.lua:2: x"), (None, "first\nb.lua:2: x"));
    }
}
