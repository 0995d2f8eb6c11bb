// SPDX-License-Identifier: Apache-2.0
//! Reports in the terminal's own colours, as compilers show theirs: what the eye looks for first, and nothing else.

use std::borrow::Cow;

const PLAIN: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const CYAN: &str = "\x1b[1;36m";

/// The first words of a report's lines.
const HEADS: [(&str, &str); 4] = [("error:", RED), ("warning:", YELLOW), ("hint:", CYAN), ("note:", BOLD)];

/// Whether whoever started us wants colours, if it is a terminal that shows them: <https://no-color.org>, and terminals that
/// say of themselves that they cannot.
pub fn is_wanted() -> bool {
    let is_given = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_given("NO_COLOR") && is_given("TERM") && std::env::var_os("TERM").is_none_or(|kind| kind != "dumb")
}

/// A prompt in bold.
pub fn prompt(text: &str) -> String {
    format!("{BOLD}{text}{PLAIN}")
}

/// A report in colour; other text stays as it is.
pub fn report(text: &str) -> String {
    text.split_inclusive('\n').map(line).collect()
}

fn line(line: &str) -> Cow<'_, str> {
    if let Some((head, colour)) = HEADS.iter().find(|(head, _)| line.starts_with(head)) {
        return Cow::Owned(format!("{colour}{head}{PLAIN}{}", &line[head.len()..]));
    }
    let start = line.len() - line.trim_start_matches(' ').len();
    let (indent, rest) = line.split_at(start);
    if let Some(place) = rest.strip_prefix("-->").filter(|_| start > 0) {
        return Cow::Owned(format!("{indent}{BLUE}-->{PLAIN}{place}"));
    }
    excerpt(indent, rest).map_or(Cow::Borrowed(line), Cow::Owned)
}

/// A line of the user's text behind its number, or what points at something in it.
fn excerpt(indent: &str, rest: &str) -> Option<String> {
    let digits = rest.find(|char: char| !char.is_ascii_digit())?;
    let behind = &rest[digits..];
    if digits > 0 && (behind.starts_with(" |") || behind.starts_with(" >")) {
        return Some(format!("{indent}{BLUE}{}{PLAIN}{}", &rest[..digits + 2], &behind[2..]));
    }
    let mark = behind.strip_prefix("| ").filter(|_| digits == 0)?;
    let is_mark = mark.contains('^') && mark.trim_end().chars().all(|char| matches!(char, ' ' | '\t' | '^' | '~'));
    is_mark.then(|| format!("{indent}{BLUE}|{PLAIN} {RED}{}{PLAIN}\n", mark.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_out() {
        let plain = "error: cannot `a`: b\n  --> x.lua:7:3\n   7 >   prnt()\n     |   ^~~\n  3 | int x;\nhint: did\n";
        let seen = report(plain).replace('\x1b', "~");
        let wanted = "~[1;31merror:~[0m cannot `a`: b\n  ~[1;34m-->~[0m x.lua:7:3\n   ~[1;34m7 >~[0m   prnt()\n     \
                      ~[1;34m|~[0m ~[1;31m  ^~~~[0m\n  ~[1;34m3 |~[0m int x;\n~[1;36mhint:~[0m did\n";
        assert_eq!(seen, wanted);
    }

    #[test]
    fn what_is_no_report_stays() {
        for text in ["no error: here\n", "12 apples\n", "a | ^ b", "", "  | not a mark ^\n", "`x` (process 3) ended\n"]
        {
            assert_eq!(report(text), text);
        }
    }
}
