// SPDX-License-Identifier: Apache-2.0
//! Where in a script a C text stands, so that the compiler speaks of the script's lines.
//!
//! A text that is a literal of the script is found byte for byte. One that the script changed first (`text:gsub(…)`) is
//! found by the lines that stayed: the place that most of them agree on.

use std::collections::HashMap;

/// The line and column, from 1, of the text's first byte in the script; `None` when it is not from there.
pub fn locate(script: &str, text: &str) -> Option<(u32, u32)> {
    if text.trim().is_empty() {
        return None;
    }
    exact(script, text).or_else(|| Some((by_lines(script, text)?, 1)))
}

fn exact(script: &str, text: &str) -> Option<(u32, u32)> {
    let at = script.find(text)?;
    let before = &script[..at];
    let line = before.matches('\n').count() + 1;
    let column = at - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
    Some((u32::try_from(line).ok()?, u32::try_from(column).ok()?))
}

/// The script's line of the text's first line, by vote of the lines that both have; at least half must agree.
fn by_lines(script: &str, text: &str) -> Option<u32> {
    let mut places: HashMap<&str, Vec<i64>> = HashMap::new();
    for (number, line) in (0..).zip(script.lines()) {
        places.entry(line.trim()).or_default().push(number);
    }
    let mut votes: HashMap<i64, u32> = HashMap::new();
    let mut voters = 0;
    for (number, line) in (0..).zip(text.lines()) {
        // Short lines (`}`, `return 0;`) are everywhere and say nothing.
        if line.trim().len() < 4 {
            continue;
        }
        voters += 1;
        for place in places.get(line.trim()).into_iter().flatten() {
            *votes.entry(place - number).or_default() += 1;
        }
    }
    let (start, count) = votes.into_iter().max_by_key(|(start, count)| (*count, -start))?;
    (count * 2 >= voters).then(|| u32::try_from(start + 1).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "local pid = 1\nlocal text = [[\nint on_open(void *ctx) {\n    FILTER\n    \
                          count(ctx);\n    return 0;\n}\n]]\nBPF{text = 'int x;'}\n";

    #[test]
    fn a_literal_is_found_with_its_column() {
        // A newline right after `[[` is not part of the literal.
        let text = "int on_open(void *ctx) {\n    FILTER\n    count(ctx);\n    return 0;\n}\n";
        assert_eq!(locate(SCRIPT, text), Some((3, 1)));
        assert_eq!(locate(SCRIPT, "int x;"), Some((9, 13)));
    }

    #[test]
    fn a_changed_literal_is_found_by_its_lines() {
        let text = "int on_open(void *ctx) {\n    if (pid != 1) return 0;\n    count(ctx);\n    return 0;\n}\n";
        assert_eq!(locate(SCRIPT, text), Some((3, 1)));
    }

    #[test]
    fn a_text_from_elsewhere_is_not_found() {
        assert_eq!(locate(SCRIPT, "int other(void) {\n  return 1 + 2;\n}\nint more;\n"), None);
        assert_eq!(locate(SCRIPT, " \n"), None);
    }
}
