// SPDX-License-Identifier: Apache-2.0
//! What a user can see of a compilation besides the object: the text behind the preprocessor, LLVM's form.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::prelude::{KERNEL_ROOT, ROOT, user_name};
use super::source::Source;

/// What is wanted. An object of the cache has none of it, so that the text is compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// LLVM's form, as the object is made of it.
    pub ir: bool,
    /// The text behind the preprocessor.
    pub preprocessed: bool,
}

impl Wanted {
    /// Whether anything is.
    pub fn any(self) -> bool {
        self.ir || self.preprocessed
    }
}

/// What was wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// LLVM's form.
    pub ir: Option<String>,
    /// The user's text and headers behind the preprocessor, without what stands before them.
    pub preprocessed: Option<String>,
}

/// Of what the preprocessor wrote, the lines that come from files of the user's, under their names.
pub fn users_lines(preprocessed: &str, source: &Source) -> String {
    let mut lines = String::new();
    let (mut ours, mut blank) = (false, true);
    for line in preprocessed.lines() {
        if let Some((number, path)) = marker(line) {
            ours = !path.starts_with('<') && [ROOT, KERNEL_ROOT].iter().all(|root| !path.starts_with(root));
            if ours {
                let _ = writeln!(lines, "# {number} \"{}\"", user_name(path, source));
            }
            blank = true;
        } else if ours && !(blank && line.trim().is_empty()) {
            let _ = writeln!(lines, "{line}");
            blank = line.trim().is_empty();
        }
    }
    without_empty_places(&lines)
}

/// `# 12 "path" 1 3`: a line and its file.
fn marker(line: &str) -> Option<(u32, &str)> {
    let (number, rest) = line.strip_prefix("# ")?.split_once(" \"")?;
    Some((number.parse().ok()?, rest.split_once('"')?.0))
}

/// Markers that no line follows are left out.
fn without_empty_places(lines: &str) -> String {
    let mut kept = String::new();
    let mut lines = lines.lines().peekable();
    while let Some(line) = lines.next() {
        let is_empty = marker(line).is_some() && lines.peek().is_none_or(|next| marker(next).is_some());
        if !is_empty {
            let _ = writeln!(kept, "{line}");
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_users_lines_are_shown() {
        let source = Source::file("a.lua", "");
        let text = "# 1 \"/bpflua/text/a.lua\"\n# 1 \"<built-in>\" 1\n# 1 \"/bpflua/include/bpflua.h\" 1\nint theirs;\n\
                    # 12 \"/bpflua/text/a.lua\" 2\n\n\n\nint x = (1 + 2);\n\n\nint y;\n# 1 \"./mine.h\" 1\nint z;\n";
        let wanted = "# 12 \"a.lua\"\nint x = (1 + 2);\n\nint y;\n# 1 \"./mine.h\"\nint z;\n";
        assert_eq!(users_lines(text, &source), wanted);
    }
}
