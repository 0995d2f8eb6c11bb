// SPDX-License-Identifier: Apache-2.0
//! Calls of map methods and of the macros that declare maps, as the user wrote them: clang sees what they expand to.

use crate::compiler::diagnostic::Diagnostic;
use crate::compiler::source::Source;

/// A call may begin so many bytes before the place that clang names.
const MOST_BEFORE: usize = 1000;

/// A call in the user's text.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    /// `BPF_HASH`, or `counts.lookup`.
    pub callee: String,
    /// The arguments, white space trimmed.
    pub arguments: Vec<String>,
    /// Byte offset of the callee in the text.
    start: usize,
    /// Byte offset behind the closing parenthesis.
    end: usize,
}

impl Call {
    /// The method, and the map before it; none when this is no call of a method.
    pub fn method(&self) -> Option<(&str, &str)> {
        let (map, method) = self.callee.rsplit_once('.')?;
        Some((map, method))
    }

    /// Whether a diagnostic is about a place in the call.
    pub fn covers(&self, diagnostic: &Diagnostic, source: &Source) -> bool {
        offset_of(diagnostic, source).is_some_and(|offset| self.contains(offset))
    }

    fn contains(&self, offset: usize) -> bool {
        (self.start..self.end).contains(&offset)
    }
}

/// The byte offset of a diagnostic's place in the text.
fn offset_of(diagnostic: &Diagnostic, source: &Source) -> Option<usize> {
    if diagnostic.file != source.name {
        return None;
    }
    let line = source.line(diagnostic.line)?;
    let line_start = line.as_ptr() as usize - source.text.as_ptr() as usize;
    let column = source.column(diagnostic.line, diagnostic.column);
    Some(line_start + column.checked_sub(1)? as usize)
}

/// The innermost call around a diagnostic's place that `wanted` takes, judged by its callee.
pub fn around(diagnostic: &Diagnostic, source: &Source, wanted: impl Fn(&str) -> bool) -> Option<Call> {
    let offset = offset_of(diagnostic, source)?;
    let text = &source.text;
    let line_end = text.get(offset..)?.find('\n').map_or(text.len(), |at| offset + at);
    let mut from = offset.saturating_sub(MOST_BEFORE);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let parentheses = text[from..line_end].match_indices('(').map(|(at, _)| from + at);
    parentheses.filter_map(|at| call_at(text, at)).filter(|call| wanted(&call.callee) && call.contains(offset)).last()
}

/// The call whose arguments begin with the parenthesis at `open`.
fn call_at(text: &str, open: usize) -> Option<Call> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let callee = text[..open].trim_end();
    let start =
        callee.rfind(|c: char| !is_part(c)).map_or(0, |at| at + callee[at..].chars().next().map_or(1, char::len_utf8));
    let callee = &callee[start..];
    let first = callee.chars().next()?;
    if first.is_ascii_digit() || first == '.' {
        return None;
    }
    let (arguments, length) = split_arguments(&text[open..])?;
    Some(Call { callee: callee.to_owned(), arguments, start, end: open + length })
}

/// The arguments in the parentheses that `text` begins with, and how many bytes they take.
fn split_arguments(text: &str) -> Option<(Vec<String>, usize)> {
    let mut arguments = vec![String::new()];
    let (mut depth, mut quote, mut escaped) = (0_u32, None, false);
    for (at, c) in text.char_indices() {
        let in_quotes = quote.is_some();
        match c {
            _ if escaped => {}
            '"' | '\'' if quote == Some(c) => quote = None,
            '"' | '\'' if !in_quotes => quote = Some(c),
            '(' | '[' | '{' if !in_quotes => depth += 1,
            ')' | ']' | '}' if !in_quotes => depth = depth.checked_sub(1)?,
            ',' if !in_quotes && depth == 1 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        escaped = c == '\\' && in_quotes && !escaped;
        if depth == 0 {
            let mut arguments: Vec<String> = arguments.iter().map(|argument| argument.trim().to_owned()).collect();
            if arguments == [""] {
                arguments.clear();
            }
            return Some((arguments, at + 1));
        }
        if at > 0 {
            arguments.last_mut()?.push(c);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, line: u32, column: u32) -> Option<Call> {
        around(&Diagnostic::error("a.c", line, column, ""), &Source::file("a.c", text), |callee| callee != "if")
    }

    #[test]
    fn the_innermost_call_is_found_with_its_arguments() {
        let call = found("\tif (counts.update(&k, f(a, b)) < 0)\n", 1, 20).unwrap();
        assert_eq!(
            (call.callee.as_str(), call.arguments),
            ("counts.update", vec!["&k".to_owned(), "f(a, b)".to_owned()])
        );
        assert_eq!(call.callee.rsplit_once('.'), Some(("counts", "update")));
        assert_eq!(found("counts.increment((struct key){ 1, \"a,b)\" }, 2);", 1, 8).unwrap().arguments.len(), 2);
        assert_eq!(found("counts.lookup();", 1, 15).unwrap().arguments.len(), 0);
    }

    #[test]
    fn calls_go_over_lines() {
        let call = found("events.perf_submit(ctx,\n\t&event,\n\tsizeof(event));\n", 1, 8).unwrap();
        assert_eq!(call.arguments, ["ctx", "&event", "sizeof(event)"]);
    }

    #[test]
    fn unfinished_and_other_text_is_no_call() {
        assert_eq!(found("counts.lookup(&k", 1, 9), None);
        assert_eq!(found("größe = (1);", 1, 1), None);
        assert_eq!(found("", 1, 1), None);
    }
}
