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

    /// Where a column of the user's file is in what [`Source::line`] gives of that line, both from 1; 0 when it is before.
    pub fn column(&self, line: u32, column: u32) -> u32 {
        if line == self.first_line { (column + 1).saturating_sub(self.first_column.max(1)) } else { column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_given_at_its_place() {
        let source = Source { name: "a.lua".into(), text: "int x;\nint y;".into(), first_line: 3, first_column: 11 };
        assert_eq!(source.padded(), "\n\n          int x;\nint y;\n");
        assert_eq!(source.line(4), Some("int y;"));
        assert_eq!(source.line(2), None);
        assert_eq!(
            (source.column(3, 11), source.column(3, 15), source.column(3, 2), source.column(4, 2)),
            (1, 5, 0, 2)
        );
    }

    #[test]
    fn a_file_begins_at_its_first_byte() {
        assert_eq!(Source::file("a.c", "int x;\n").padded(), "int x;\n\n");
    }
}
