// SPDX-License-Identifier: Apache-2.0
//! What clang and the passes say about a text, as data and as a report.

use crate::error::{Error, Location};

use super::source::Source;

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Belongs to the diagnostic before it.
    Note,
    /// The text compiles all the same.
    Warning,
    /// The text does not compile.
    Error,
}

/// One remark about a place in the user's text. Lines and columns count from 1; 0 means no place.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// The file as the user names it.
    pub file: String,
    /// Line in that file.
    pub line: u32,
    /// Column in bytes.
    pub column: u32,
    /// What is said, in lower case.
    pub message: String,
    /// The text to put at that place instead, when there is one proposal.
    pub fixit: Option<String>,
}

impl Diagnostic {
    /// An error of a pass at a place of the text.
    pub fn error(file: &str, line: u32, column: u32, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Error, file: file.into(), line, column, message: message.into(), fixit: None }
    }

    /// The place with its message and the source lines around it.
    pub fn location(&self, source: &Source) -> Location {
        let mut location = Location::new(&self.file, self.line, self.column).with_message(&self.message);
        if self.file == source.name {
            location.excerpt = excerpt(source, self.line, self.column);
        }
        location
    }

    /// The diagnostic as a warning is printed: `warning: file:line:col: words` and the source line under it.
    pub fn render(&self, source: &Source) -> String {
        let word = match self.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let location = self.location(source);
        let mut text = format!("{word}: {location}\n");
        for line in &location.excerpt {
            text += &format!(" {line}\n");
        }
        text
    }
}

/// The line before, the line itself with `>` and a caret under the column.
fn excerpt(source: &Source, line: u32, column: u32) -> Vec<String> {
    let width = line.to_string().len().max(2);
    let mut lines = Vec::new();
    if let Some(text) = line.checked_sub(1).and_then(|before| source.line(before)) {
        lines.push(format!("{:>width$} | {}", line - 1, text.trim_end()).trim_end().to_owned());
    }
    if let Some(text) = source.line(line) {
        lines.push(format!("{line:>width$} > {}", text.trim_end()));
        let column = source.column(line, column);
        if column > 0 {
            lines.push(format!("{:width$} | {}^", "", caret_indent(text, column)));
        }
    }
    lines
}

/// White space as wide as the text before `column`, tabs kept, so that the caret stands under its character.
fn caret_indent(text: &str, column: u32) -> String {
    let end = (column as usize).saturating_sub(1).min(text.len());
    let before = text.get(..end).unwrap_or(text);
    before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect()
}

/// Takes out the warnings of macros that the text defines and the dialect's headers (below `ours`) have, too: a text
/// for libbpf expects none of them. The text's own definition counts.
pub fn forget_redefinitions(diagnostics: Vec<Diagnostic>, ours: &str) -> Vec<Diagnostic> {
    let is_ours = |at: usize| {
        let redefined = |d: &Diagnostic| d.severity == Severity::Warning && d.message.ends_with("macro redefined");
        let is_note = |d: &&Diagnostic| d.severity == Severity::Note && d.file.starts_with(ours);
        redefined(&diagnostics[at]) && diagnostics.get(at + 1).filter(is_note).is_some()
    };
    let kept: Vec<bool> =
        (0..diagnostics.len()).map(|at| !is_ours(at) && !at.checked_sub(1).is_some_and(is_ours)).collect();
    diagnostics.into_iter().zip(kept).filter_map(|(diagnostic, keep)| keep.then_some(diagnostic)).collect()
}

/// How many errors a report shows in full.
const SHOWN: usize = 3;

/// The error for a text that does not compile.
pub fn failure(source: &Source, diagnostics: &[Diagnostic], hints: Vec<String>) -> Error {
    let errors: Vec<&Diagnostic> = diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    let count = match errors.len() {
        1 => "1 error".to_owned(),
        n => format!("{n} errors"),
    };
    let mut error = Error::script(format!("C text of `{}` does not compile", source.name), count);
    for diagnostic in errors.iter().take(SHOWN) {
        error = error.with_location(diagnostic.location(source));
    }
    for hint in hints {
        error = error.with_hint(hint);
    }
    if errors.len() > SHOWN {
        error = error.with_note(format!("{} more errors follow from the text", errors.len() - SHOWN));
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_its_character_in_the_first_line_too() {
        let source = Source { name: "a.lua".into(), text: "int x\nint y".into(), first_line: 2, first_column: 11 };
        assert_eq!(excerpt(&source, 2, 15), [" 2 > int x", "   |     ^"]);
        assert_eq!(excerpt(&source, 3, 5), [" 2 | int x", " 3 > int y", "   |     ^"]);
    }

    #[test]
    fn macros_of_the_headers_may_be_defined_anew() {
        let one = |severity, file: &str, message: &str| Diagnostic {
            severity,
            message: message.into(),
            ..Diagnostic::error(file, 1, 1, "")
        };
        let redefined = one(Severity::Warning, "/text/a.c", "'READ_ONCE' macro redefined");
        let previous = |file| one(Severity::Note, file, "previous definition is here");
        let all = vec![redefined.clone(), previous("/inc/k.h"), redefined, previous("/text/a.c")];
        let kept = forget_redefinitions(all, "/inc");
        assert_eq!(kept.len(), 2);
        assert_eq!(kept[1].file, "/text/a.c");
    }
}
