// SPDX-License-Identifier: Apache-2.0
//! Patterns over kernel names: regular expressions that must match the whole name, and globs.

use crate::error::{Error, Result};
use regex::{Regex, RegexBuilder};

/// The most memory a compiled pattern may take; an honest one is far below.
const SIZE_LIMIT_BYTES: usize = 4 << 20;

/// A regular expression that matches whole names only, as Python's `re.fullmatch`.
pub fn full_match(pattern: &str) -> Result<Regex> {
    // The user's own pattern first, so that the message shows it and not what is put around it.
    Regex::new(pattern).map_err(|err| not_a_pattern(pattern, &err))?;
    build(&format!("^(?:{pattern})$")).map_err(|err| not_a_pattern(pattern, &err))
}

/// A glob over whole names: `*` is any run of characters, `?` any one, `[a-z]` and `[!a-z]` one of a set.
pub fn glob(pattern: &str) -> Result<Regex> {
    build(&glob_to_regex(pattern)).map_err(|err| not_a_pattern(pattern, &err))
}

fn build(pattern: &str) -> std::result::Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(SIZE_LIMIT_BYTES).build()
}

fn glob_to_regex(pattern: &str) -> String {
    let mut regex = String::from("^");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => match set(rest) {
                Some((class, after)) => {
                    regex.push_str(&class);
                    rest = after;
                }
                None => regex.push_str("\\["),
            },
            _ => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push('$');
    regex
}

/// The set after a `[`, as a regular expression, and what follows its `]`.
fn set(rest: &str) -> Option<(String, &str)> {
    let (inside, after) = rest.split_once(']')?;
    let (negation, members) = match inside.strip_prefix(['!', '^']) {
        Some(members) => ("^", members),
        None => ("", inside),
    };
    if members.is_empty() {
        return None;
    }
    // A dash stays a range; everything else stands for itself.
    let members: Vec<String> = members.split('-').map(regex::escape).collect();
    Some((format!("[{negation}{}]", members.join("-")), after))
}

fn not_a_pattern(pattern: &str, err: &regex::Error) -> Error {
    let text = err.to_string();
    let why = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("not understood");
    Error::script(format!("`{pattern}` is not a regular expression"), why.trim_start_matches("error: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_only() {
        let regex = full_match(r"^finish_task_switch$|^finish_task_switch\.isra\.\d$").unwrap();
        assert!(regex.is_match("finish_task_switch.isra.0") && regex.is_match("finish_task_switch"));
        assert!(!regex.is_match("finish_task_switch.isra.10"));
        let either = full_match("vfs_read|vfs_write").unwrap();
        assert!(!either.is_match("vfs_readv") && !either.is_match("xvfs_read") && either.is_match("vfs_write"));
    }

    #[test]
    fn globs() {
        let regex = glob("vfs_re*").unwrap();
        assert!(regex.is_match("vfs_read") && regex.is_match("vfs_re") && !regex.is_match("xvfs_read"));
        assert!(glob("a.b").unwrap().is_match("a.b") && !glob("a.b").unwrap().is_match("axb"));
        assert!(glob("[a-c]?").unwrap().is_match("bz") && !glob("[!a-c]?").unwrap().is_match("bz"));
        assert!(glob("[").unwrap().is_match("[") && glob("[]x").unwrap().is_match("[]x"));
    }

    #[test]
    fn the_message_shows_the_pattern_as_given() {
        let err = full_match("vfs_(").unwrap_err();
        assert_eq!(err.to_string(), "`vfs_(` is not a regular expression: unclosed group");
        assert!(full_match("(?=x)").unwrap_err().to_string().contains("look-around"));
        assert!(full_match("(a{1000}){1000}").is_err());
    }
}
