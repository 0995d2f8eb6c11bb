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
    let shown = error.locations().first().map(|location| (location.file.clone(), location.line));
    let callers = frames.iter().filter(|frame| Some((frame.file.clone(), frame.line)) != shown);
    for frame in callers.take(MAX_CALLERS) {
        error = error.with_evidence(caller(frame));
    }
    error
}

/// Puts a caret under the name that an error speaks of, where the line of the first place has it once.
pub fn point_at_name(mut error: Error) -> Error {
    let words = error.to_string();
    let Some(location) = error.locations_mut().first_mut().filter(|location| location.column == 0) else {
        return error;
    };
    if let [shown] = location.excerpt.as_slice()
        && let Some(text) = shown.split_once(" > ").map(|(_, text)| text)
        && let Some(column) = quoted(&words).find_map(|name| column_of(text, name))
    {
        location.column = column;
        let caret = caret(location.line, text, column);
        location.excerpt.push(caret);
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

/// The column, from 1, of a name in a line that has it once.
fn column_of(text: &str, name: &str) -> Option<u32> {
    let is_part = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
    let mut places = text.match_indices(name).map(|(at, _)| at).filter(|at| {
        let (before, behind) = (text[..*at].chars().next_back(), text[at + name.len()..].chars().next());
        !(is_part(name.chars().next()) && is_part(before) || is_part(name.chars().next_back()) && is_part(behind))
    });
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
