// SPDX-License-Identifier: Apache-2.0
//! A place in a C text that is being typed.

/// The type of what stands before a dot or an arrow, and the words that may stand at a place, each with what it is.
pub type CWords = (Option<String>, Vec<(String, String)>);

/// The text and where the word begins that the cursor is at the end of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CPlace {
    /// The whole text.
    pub text: String,
    /// The word before the cursor, as far as it is typed.
    pub word: String,
    /// The line that the word begins on, from 1.
    pub line: u32,
    /// The byte of the line that it begins at, from 1.
    pub column: u32,
    /// The byte of the text that it begins at.
    start: usize,
}

impl CPlace {
    /// The place between two parts of a text.
    pub fn new(before: &str, after: &str) -> CPlace {
        let start = before
            .rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        let (head, word) = before.split_at(start);
        let line_start = head.rfind('\n').map_or(0, |newline| newline + 1);
        CPlace {
            text: format!("{before}{after}"),
            word: word.to_owned(),
            line: u32::try_from(head.matches('\n').count() + 1).unwrap_or(1),
            column: u32::try_from(head.len() - line_start + 1).unwrap_or(1),
            start,
        }
    }

    /// The same place before anything of the word was typed.
    pub fn without_word(&self) -> CPlace {
        let mut text = self.text.clone();
        text.replace_range(self.start..self.start + self.word.len(), "");
        CPlace { text, word: String::new(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_and_its_place() {
        let place = CPlace::new("int x;\n  last.loo", "\n}");
        assert_eq!((place.word.as_str(), place.line, place.column), ("loo", 2, 8));
        assert_eq!(place.text, "int x;\n  last.loo\n}");
        let empty = CPlace::new("", "");
        assert_eq!((empty.word.as_str(), empty.line, empty.column), ("", 1, 1));
        assert_eq!(CPlace::new("a->", "").column, 4);
        assert_eq!(CPlace::new("a->b", ";").without_word(), CPlace::new("a->", ";"));
    }
}
