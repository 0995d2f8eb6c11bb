// SPDX-License-Identifier: Apache-2.0
//! The user's C text and where it stands in the user's file.

/// A C text and its place in the file that a person edits.
///
/// clang is given the text at the very line and column it has in that file, so that its diagnostics, the debug
/// information and, through it, the verifier's log all speak of the user's lines.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file as diagnostics name it, such as `latency.lua`.
    pub name: String,
    /// The C text.
    pub text: String,
    /// The line of `name` that the text's first line is on, from 1.
    pub first_line: u32,
    /// The column of the text's first character in that line, from 1.
    pub first_column: u32,
}

impl Source {
    /// A text that is a file of its own.
    pub fn file(name: impl Into<String>, text: impl Into<String>) -> Self {
        Source { name: name.into(), text: text.into(), first_line: 1, first_column: 1 }
    }

    /// A C text that stands as a literal in a script: looks its lines up in `script`.
    ///
    /// A text that the script changed before use (`text:gsub("FILTER", …)`) is placed by the lines that it still has in
    /// common; one that shares too few with the script is a file of its own, named after the script.
    pub fn in_script(script_name: &str, script: &str, text: &str) -> Self {
        if let Some(at) = script.find(text).filter(|_| !text.trim().is_empty()) {
            let before = &script[..at];
            let line_start = before.rfind('\n').map_or(0, |i| i + 1);
            return Source {
                name: script_name.into(),
                text: text.into(),
                first_line: 1 + before.matches('\n').count() as u32,
                first_column: (at - line_start) as u32 + 1,
            };
        }
        match place_by_lines(script, text) {
            Some(first_line) => {
                Source { name: script_name.into(), text: text.into(), first_line, first_column: 1 }
            }
            None => Source::file(format!("<C text of {script_name}>"), text),
        }
    }

    /// The text as clang gets it: pushed down and right to its place.
    pub fn padded(&self) -> String {
        let lines = self.first_line.saturating_sub(1) as usize;
        let columns = self.first_column.saturating_sub(1) as usize;
        let mut padded = String::with_capacity(lines + columns + self.text.len() + 1);
        padded.extend(std::iter::repeat_n('\n', lines));
        padded.extend(std::iter::repeat_n(' ', columns));
        padded.push_str(&self.text);
        padded.push('\n');
        padded
    }

    /// Line `number` of the user's file, as far as it belongs to the text.
    pub fn line(&self, number: u32) -> Option<&str> {
        self.text.lines().nth(number.checked_sub(self.first_line)? as usize)
    }
}

/// The line of `script` at which `text`'s first line would stand so that most of its lines agree; at least half must.
fn place_by_lines(script: &str, text: &str) -> Option<u32> {
    let script: Vec<&str> = script.lines().collect();
    let text: Vec<&str> = text.lines().collect();
    let telling = text.iter().filter(|line| line.trim().len() > 3).count();
    let mut best = (0, 0);
    for start in 0..script.len() {
        let same = text
            .iter()
            .zip(&script[start..])
            .filter(|(ours, theirs)| ours.trim().len() > 3 && ours == theirs)
            .count();
        if same > best.0 {
            best = (same, start);
        }
    }
    (telling > 0 && best.0 * 2 >= telling).then_some(best.1 as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "local b = BPF{text=[[\nint f(void *ctx)\n{\n    return FILTER;\n}\n]]}\n";

    #[test]
    fn a_literal_keeps_its_line() {
        let source = Source::in_script("a.lua", SCRIPT, "int f(void *ctx)\n{\n    return FILTER;\n}\n");
        assert_eq!((source.name.as_str(), source.first_line, source.first_column), ("a.lua", 2, 1));
        assert_eq!(source.line(4), Some("    return FILTER;"));
        assert_eq!(source.padded().lines().nth(3), Some("    return FILTER;"));
    }

    #[test]
    fn a_literal_inside_a_line_keeps_its_column() {
        let source = Source::in_script("a.lua", "BPF{text='int x;'}", "int x;");
        assert_eq!((source.first_line, source.first_column), (1, 11));
        assert_eq!(source.padded(), "          int x;\n");
    }

    #[test]
    fn a_changed_literal_is_placed_by_its_other_lines() {
        let source = Source::in_script("a.lua", SCRIPT, "int f(void *ctx)\n{\n    return 1 == 1;\n}\n");
        assert_eq!((source.name.as_str(), source.first_line), ("a.lua", 2));
    }

    #[test]
    fn a_text_from_elsewhere_has_a_name_of_its_own() {
        let source = Source::in_script("a.lua", SCRIPT, "int g(void)\n{\n    return 7;\n}\n");
        assert_eq!((source.name.as_str(), source.first_line), ("<C text of a.lua>", 1));
    }
}
