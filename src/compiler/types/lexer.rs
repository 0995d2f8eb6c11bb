// SPDX-License-Identifier: Apache-2.0
//! C text into tokens, as far as finding names needs: comments, literals and line continuations are stepped over.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Name,
    /// The name that a `#define` defines.
    MacroName,
    /// One character, or `->`, `##`, `...`.
    Punct,
    /// A number, string or character constant.
    Literal,
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// Inside the line of a `#define`.
    pub(super) in_macro: bool,
}

impl Token<'_> {
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text && matches!(self.kind, Kind::Name | Kind::Punct)
    }

    pub(super) fn is_name(&self) -> bool {
        self.kind == Kind::Name
    }
}

/// All tokens of a text. What follows `#include`, `#pragma` and the like is left out.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, bytes: text.as_bytes(), at: 0, line_start: true, in_macro: false, out: Vec::new() };
    lexer.run();
    lexer.out
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Only blanks so far on this line.
    line_start: bool,
    in_macro: bool,
    out: Vec<Token<'a>>,
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$'
}

fn continues_name(byte: u8) -> bool {
    starts_name(byte) || byte.is_ascii_digit()
}

impl<'a> Lexer<'a> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Bytes of a backslash and line end at the current place; 0 when there is none.
    fn continuation(&self) -> usize {
        match (self.peek(0), self.peek(1), self.peek(2)) {
            (b'\\', b'\n', _) => 2,
            (b'\\', b'\r', b'\n') => 3,
            _ => 0,
        }
    }

    fn push(&mut self, kind: Kind, start: usize) {
        // Tokens start and end at ASCII bytes, or hold whole non-ASCII characters.
        let text = self.text.get(start..self.at).unwrap_or_default();
        self.out.push(Token { kind, text, in_macro: self.in_macro });
        self.line_start = false;
    }

    fn run(&mut self) {
        while self.at < self.bytes.len() {
            let byte = self.peek(0);
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.line_start = true;
                    self.in_macro = false;
                }
                b'\\' if self.continuation() > 0 => self.at += self.continuation(),
                _ if byte.is_ascii_whitespace() => self.at += 1,
                b'/' if self.peek(1) == b'/' => self.skip_line(),
                b'/' if self.peek(1) == b'*' => self.skip_comment(),
                b'#' if self.line_start => self.directive(),
                b'"' | b'\'' => self.quoted(byte),
                _ if starts_name(byte) => self.name(),
                _ if byte.is_ascii_digit() => self.number(),
                b'.' if self.peek(1).is_ascii_digit() => self.number(),
                _ => self.punct(),
            }
        }
    }

    fn skip_line(&mut self) {
        while self.at < self.bytes.len() && self.peek(0) != b'\n' {
            self.at += self.continuation().max(1);
        }
    }

    fn skip_comment(&mut self) {
        let end = self.text.get(self.at + 2..).and_then(|rest| rest.find("*/"));
        self.at = end.map_or(self.bytes.len(), |end| self.at + 2 + end + 2);
    }

    fn quoted(&mut self, quote: u8) {
        let start = self.at;
        self.at += 1;
        while self.at < self.bytes.len() && self.peek(0) != quote && self.peek(0) != b'\n' {
            self.at += if self.peek(0) == b'\\' { self.continuation().max(2) } else { 1 };
        }
        self.at = self.bytes.len().min(self.at + usize::from(self.peek(0) == quote));
        self.push(Kind::Literal, start);
    }

    fn name(&mut self) {
        let start = self.at;
        while continues_name(self.peek(0)) {
            self.at += 1;
        }
        self.push(Kind::Name, start);
    }

    fn number(&mut self) {
        let start = self.at;
        // Suffixes, exponents and hexadecimal digits are all characters of names.
        while continues_name(self.peek(0)) || self.peek(0) == b'.' {
            self.at += 1;
        }
        self.push(Kind::Literal, start);
    }

    fn punct(&mut self) {
        let start = self.at;
        let rest = &self.bytes[self.at..];
        let len = if rest.starts_with(b"->") || rest.starts_with(b"##") {
            2
        } else if rest.starts_with(b"...") {
            3
        } else {
            self.text.get(self.at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
        };
        self.at += len;
        self.push(Kind::Punct, start);
    }

    /// `#define` gives its tokens, marked; of the conditionals the names are kept; the rest is skipped.
    fn directive(&mut self) {
        self.at += 1;
        self.line_start = false;
        self.skip_blanks();
        let start = self.at;
        while self.peek(0).is_ascii_alphabetic() {
            self.at += 1;
        }
        match &self.bytes[start..self.at] {
            b"define" => {
                self.in_macro = true;
                self.skip_blanks();
                let start = self.at;
                while continues_name(self.peek(0)) {
                    self.at += 1;
                }
                self.push(Kind::MacroName, start);
            }
            b"if" | b"elif" => {}
            _ => self.skip_line(),
        }
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(0), b' ' | b'\t') || self.continuation() > 0 {
            self.at += self.continuation().max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_literals_hide_names() {
        assert_eq!(texts("a /* struct b */ c // d\ne"), ["a", "c", "e"]);
        assert_eq!(
            texts(r#"f("struct x \" y", 'z', '\'')"#),
            ["f", "(", r#""struct x \" y""#, ",", "'z'", ",", r"'\''", ")"]
        );
        assert_eq!(texts("/* open"), [""; 0]);
        assert_eq!(texts("\"open\nb"), ["\"open", "b"]);
    }

    #[test]
    fn numbers_are_no_names() {
        assert_eq!(texts("0x1fUL + 1.5e3 + .5f"), ["0x1fUL", "+", "1.5e3", "+", ".5f"]);
    }

    #[test]
    fn arrows_and_dots() {
        assert_eq!(texts("a->b.c ... d##e"), ["a", "->", "b", ".", "c", "...", "d", "##", "e"]);
    }

    #[test]
    fn directives() {
        assert_eq!(texts("#include <linux/sched.h>\n# include \"x.h\"\n#pragma once\nx"), ["x"]);
        let all = tokens("#define GET(p) \\\n  p->comm\nint x;");
        assert_eq!(all[0], Token { kind: Kind::MacroName, text: "GET", in_macro: true });
        let comm = all.iter().find(|token| token.text == "comm").unwrap();
        assert!(comm.in_macro);
        assert!(!all.last().unwrap().in_macro);
    }

    #[test]
    fn other_alphabets_do_not_panic() {
        assert_eq!(texts("ä \\ é' \\ü"), ["ä", "\\", "é", "' \\ü"]);
        for end in 0.."/* é */ \"\\é\" #define é\\\r\n".len() {
            let bytes = "/* é */ \"\\é\" #define é\\\r\n".as_bytes();
            tokens(&String::from_utf8_lossy(&bytes[..end]));
        }
    }
}
